"""What the values of wine must look like. Checked wherever a step takes or gives one."""

import pandera.pandas as pa
import sklearn.cluster
import sklearn.utils

WINES = pa.DataFrameSchema(
    {
        "alcohol": pa.Column("float64", nullable=True),
        "malic_acid": pa.Column("float64", nullable=True),
        "ash": pa.Column("float64", nullable=True),
        "alcalinity_of_ash": pa.Column("float64", nullable=True),
        "magnesium": pa.Column("float64", nullable=True),
        "total_phenols": pa.Column("float64", nullable=True),
        "flavanoids": pa.Column("float64", nullable=True),
        "nonflavanoid_phenols": pa.Column("float64", nullable=True),
        "proanthocyanins": pa.Column("float64", nullable=True),
        "color_intensity": pa.Column("float64", nullable=True),
        "hue": pa.Column("float64", nullable=True),
        "dilution": pa.Column("float64", nullable=True),
        "proline": pa.Column("float64", nullable=True),
    }
)

MEASURED = pa.DataFrameSchema(
    {
        "alcohol": pa.Column("float64", nullable=True),
        "malic_acid": pa.Column("float64", nullable=True),
        "ash": pa.Column("float64", nullable=True),
        "alcalinity_of_ash": pa.Column("float64", nullable=True),
        "magnesium": pa.Column("float64", nullable=True),
        "total_phenols": pa.Column("float64", nullable=True),
        "flavanoids": pa.Column("float64", nullable=True),
        "nonflavanoid_phenols": pa.Column("float64", nullable=True),
        "proanthocyanins": pa.Column("float64", nullable=True),
        "color_intensity": pa.Column("float64", nullable=True),
        "hue": pa.Column("float64", nullable=True),
        "dilution": pa.Column("float64", nullable=True),
        "proline": pa.Column("float64", nullable=True),
    }
)

PROFILE = pa.DataFrameSchema(
    {
        "alcohol": pa.Column("float64", nullable=True),
        "malic_acid": pa.Column("float64", nullable=True),
        "ash": pa.Column("float64", nullable=True),
        "alcalinity_of_ash": pa.Column("float64", nullable=True),
        "magnesium": pa.Column("float64", nullable=True),
        "total_phenols": pa.Column("float64", nullable=True),
        "flavanoids": pa.Column("float64", nullable=True),
        "nonflavanoid_phenols": pa.Column("float64", nullable=True),
        "proanthocyanins": pa.Column("float64", nullable=True),
        "color_intensity": pa.Column("float64", nullable=True),
        "hue": pa.Column("float64", nullable=True),
        "dilution": pa.Column("float64", nullable=True),
        "proline": pa.Column("float64", nullable=True),
    }
)

CONTRACTS = {
    "data": sklearn.utils.Bunch,
    "wines": WINES,
    "kinds": pa.SeriesSchema("int64", nullable=True, name="target"),
    "measured": MEASURED,
    "model": sklearn.cluster.KMeans,
    "agreement": (int, float),
    "profile": PROFILE,
}

# What the recorded values were like, to be read; nothing is held to it: other data may differ.
OBSERVED = {
    "wines": {
        "alcohol": {"min": 11.03, "max": 14.83, "nulls": False},
        "malic_acid": {"min": 0.74, "max": 5.8, "nulls": False},
        "ash": {"min": 1.36, "max": 3.23, "nulls": False},
        "alcalinity_of_ash": {"min": 10.6, "max": 30.0, "nulls": False},
        "magnesium": {"min": 70.0, "max": 162.0, "nulls": False},
        "total_phenols": {"min": 0.98, "max": 3.88, "nulls": False},
        "flavanoids": {"min": 0.34, "max": 5.08, "nulls": False},
        "nonflavanoid_phenols": {"min": 0.13, "max": 0.66, "nulls": False},
        "proanthocyanins": {"min": 0.41, "max": 3.58, "nulls": False},
        "color_intensity": {"min": 1.28, "max": 13.0, "nulls": False},
        "hue": {"min": 0.48, "max": 1.71, "nulls": False},
        "dilution": {"min": 1.27, "max": 4.0, "nulls": False},
        "proline": {"min": 278.0, "max": 1680.0, "nulls": False},
    },
    "kinds": {"min": 0, "max": 2},
    "measured": {
        "alcohol": {"min": -2.434235347085688, "max": 2.2597715200031865, "nulls": False},
        "malic_acid": {"min": -1.4329830495567162, "max": 3.1091924671589037, "nulls": False},
        "ash": {"min": -3.6791622340370145, "max": 3.156325269990443, "nulls": False},
        "alcalinity_of_ash": {"min": -2.671018136468717, "max": 3.154510713941043, "nulls": False},
        "magnesium": {"min": -2.0882551982316313, "max": 4.371372139554767, "nulls": False},
        "total_phenols": {"min": -2.1072460232492967, "max": 2.539515466781405, "nulls": False},
        "flavanoids": {"min": -1.6959705266274108, "max": 3.062831737252598, "nulls": False},
        "nonflavanoid_phenols": {"min": -1.8682340238414572, "max": 2.402403189853794, "nulls": False},
        "proanthocyanins": {"min": -2.0690341807257107, "max": 3.485072512025424, "nulls": False},
        "color_intensity": {"min": -1.6342882758947095, "max": 3.4354319244178955, "nulls": False},
        "hue": {"min": -2.094732405017083, "max": 3.3016942153020343, "nulls": False},
        "dilution": {"min": -1.895053894164883, "max": 1.9609149917344735, "nulls": False},
        "proline": {"min": -1.4931876455352515, "max": 2.971472575990397, "nulls": False},
    },
    "profile": {
        "alcohol": {"min": 12.25, "max": 13.68, "nulls": False},
        "malic_acid": {"min": 1.9, "max": 3.31, "nulls": False},
        "ash": {"min": 2.23, "max": 2.47, "nulls": False},
        "alcalinity_of_ash": {"min": 17.46, "max": 21.24, "nulls": False},
        "magnesium": {"min": 92.74, "max": 107.97, "nulls": False},
        "total_phenols": {"min": 1.68, "max": 2.85, "nulls": False},
        "flavanoids": {"min": 0.82, "max": 3.0, "nulls": False},
        "nonflavanoid_phenols": {"min": 0.29, "max": 0.45, "nulls": False},
        "proanthocyanins": {"min": 1.15, "max": 1.92, "nulls": False},
        "color_intensity": {"min": 2.97, "max": 7.23, "nulls": False},
        "hue": {"min": 0.69, "max": 1.07, "nulls": False},
        "dilution": {"min": 1.7, "max": 3.16, "nulls": False},
        "proline": {"min": 510.17, "max": 1100.23, "nulls": False},
    },
}
