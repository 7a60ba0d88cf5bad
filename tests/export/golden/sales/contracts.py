"""What the values of sales must look like. Checked wherever a step takes or gives one."""

import pandera.pandas as pa

SALES = pa.DataFrameSchema(
    {
        "month": pa.Column("int64", nullable=True),
        "net": pa.Column("float64", nullable=True),
    }
)

TIDY = pa.DataFrameSchema(
    {
        "month": pa.Column("int64", nullable=True),
        "net": pa.Column("float64", nullable=True),
        "gross": pa.Column("float64", nullable=True),
    }
)

CONTRACTS = {
    "sales": SALES,
    "note": str,
    "tidy": TIDY,
    "amount": (int, float),
    "lead": (int, float),
}

# What the recorded values were like, to be read; nothing is held to it: other data may differ.
OBSERVED = {
    "sales": {
        "month": {"min": 1, "max": 2},
        "net": {"min": 5.0, "max": 20.0, "nulls": False},
    },
    "tidy": {
        "month": {"min": 1, "max": 1},
        "net": {"min": 10.0, "max": 20.0, "nulls": False},
        "gross": {"min": 12.0, "max": 24.0, "nulls": False},
    },
}
