"""What the values of penguins must look like. Checked wherever a step takes or gives one."""

import pandera.pandas as pa

PENGUINS = pa.DataFrameSchema(
    {
        "species": pa.Column("str", nullable=True),
        "island": pa.Column("str", nullable=True),
        "bill_length_mm": pa.Column("float64", nullable=True),
        "bill_depth_mm": pa.Column("float64", nullable=True),
        "flipper_length_mm": pa.Column("float64", nullable=True),
        "body_mass_g": pa.Column("float64", nullable=True),
        "sex": pa.Column("str", nullable=True),
        "year": pa.Column("int64", nullable=True),
    }
)

TIDY = pa.DataFrameSchema(
    {
        "species": pa.Column("str", nullable=True),
        "island": pa.Column("str", nullable=True),
        "bill_length_mm": pa.Column("float64", nullable=True),
        "bill_depth_mm": pa.Column("float64", nullable=True),
        "flipper_length_mm": pa.Column("float64", nullable=True),
        "body_mass_g": pa.Column("float64", nullable=True),
        "sex": pa.Column("str", nullable=True),
        "year": pa.Column("int64", nullable=True),
    }
)

CONTRACTS = {
    "penguins": PENGUINS,
    "tidy": TIDY,
    "line": dict,
}
