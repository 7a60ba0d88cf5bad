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
