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

# What the recorded values were like, to be read; nothing is held to it: other data may differ.
OBSERVED = {
    "penguins": {
        "species": {"values": ["Adelie", "Chinstrap", "Gentoo"], "nulls": False},
        "island": {"values": ["Biscoe", "Dream", "Torgersen"], "nulls": False},
        "bill_length_mm": {"min": 32.1, "max": 59.6, "nulls": True},
        "bill_depth_mm": {"min": 13.1, "max": 21.5, "nulls": True},
        "flipper_length_mm": {"min": 172.0, "max": 231.0, "nulls": True},
        "body_mass_g": {"min": 2700.0, "max": 6300.0, "nulls": True},
        "sex": {"values": ["female", "male"], "nulls": True},
        "year": {"min": 2007, "max": 2009},
    },
    "tidy": {
        "species": {"values": ["Adelie", "Chinstrap", "Gentoo"], "nulls": False},
        "island": {"values": ["Biscoe", "Dream", "Torgersen"], "nulls": False},
        "bill_length_mm": {"min": 32.1, "max": 59.6, "nulls": False},
        "bill_depth_mm": {"min": 13.1, "max": 21.5, "nulls": False},
        "flipper_length_mm": {"min": 172.0, "max": 231.0, "nulls": False},
        "body_mass_g": {"min": 2700.0, "max": 6300.0, "nulls": False},
        "sex": {"values": ["female", "male"], "nulls": True},
        "year": {"min": 2007, "max": 2009},
    },
}
