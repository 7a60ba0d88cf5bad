"""What the values of flight_delays must look like. Checked wherever a step takes or gives one."""

import matplotlib.figure
import pandas
import pandera.pandas as pa
import sklearn.pipeline

FLIGHTS = pa.DataFrameSchema(
    {
        "year": pa.Column("int64", nullable=True),
        "month": pa.Column("int64", nullable=True),
        "day": pa.Column("int64", nullable=True),
        "dep_time": pa.Column("float64", nullable=True),
        "sched_dep_time": pa.Column("int64", nullable=True),
        "dep_delay": pa.Column("float64", nullable=True),
        "arr_time": pa.Column("float64", nullable=True),
        "sched_arr_time": pa.Column("int64", nullable=True),
        "arr_delay": pa.Column("float64", nullable=True),
        "carrier": pa.Column("str", nullable=True),
        "flight": pa.Column("int64", nullable=True),
        "tailnum": pa.Column("str", nullable=True),
        "origin": pa.Column("str", nullable=True),
        "dest": pa.Column("str", nullable=True),
        "air_time": pa.Column("float64", nullable=True),
        "distance": pa.Column("int64", nullable=True),
        "hour": pa.Column("int64", nullable=True),
        "minute": pa.Column("int64", nullable=True),
        "time_hour": pa.Column("str", nullable=True),
    }
)

WEATHER = pa.DataFrameSchema(
    {
        "origin": pa.Column("str", nullable=True),
        "year": pa.Column("int64", nullable=True),
        "month": pa.Column("int64", nullable=True),
        "day": pa.Column("int64", nullable=True),
        "hour": pa.Column("int64", nullable=True),
        "temp": pa.Column("float64", nullable=True),
        "dewp": pa.Column("float64", nullable=True),
        "humid": pa.Column("float64", nullable=True),
        "wind_dir": pa.Column("float64", nullable=True),
        "wind_speed": pa.Column("float64", nullable=True),
        "wind_gust": pa.Column("float64", nullable=True),
        "precip": pa.Column("float64", nullable=True),
        "pressure": pa.Column("float64", nullable=True),
        "visib": pa.Column("float64", nullable=True),
        "time_hour": pa.Column("str", nullable=True),
    }
)

PLANES = pa.DataFrameSchema(
    {
        "tailnum": pa.Column("str", nullable=True),
        "year": pa.Column("float64", nullable=True),
        "type": pa.Column("str", nullable=True),
        "manufacturer": pa.Column("str", nullable=True),
        "model": pa.Column("str", nullable=True),
        "engines": pa.Column("int64", nullable=True),
        "seats": pa.Column("int64", nullable=True),
        "speed": pa.Column("float64", nullable=True),
        "engine": pa.Column("str", nullable=True),
    }
)

AIRPORTS = pa.DataFrameSchema(
    {
        "faa": pa.Column("str", nullable=True),
        "name": pa.Column("str", nullable=True),
        "lat": pa.Column("float64", nullable=True),
        "lon": pa.Column("float64", nullable=True),
        "alt": pa.Column("int64", nullable=True),
        "tz": pa.Column("int64", nullable=True),
        "dst": pa.Column("str", nullable=True),
        "tzone": pa.Column("str", nullable=True),
    }
)

JOINED = pa.DataFrameSchema(
    {
        "year": pa.Column("int64", nullable=True),
        "month": pa.Column("int64", nullable=True),
        "day": pa.Column("int64", nullable=True),
        "hour": pa.Column("int64", nullable=True),
        "origin": pa.Column("str", nullable=True),
        "dest": pa.Column("str", nullable=True),
        "carrier": pa.Column("str", nullable=True),
        "distance": pa.Column("int64", nullable=True),
        "arr_delay": pa.Column("float64", nullable=True),
        "temp": pa.Column("float64", nullable=True),
        "humid": pa.Column("float64", nullable=True),
        "wind_speed": pa.Column("float64", nullable=True),
        "precip": pa.Column("float64", nullable=True),
        "visib": pa.Column("float64", nullable=True),
        "built": pa.Column("float64", nullable=True),
        "dest_name": pa.Column("str", nullable=True),
        "tz": pa.Column("float64", nullable=True),
    }
)

TIDY = pa.DataFrameSchema(
    {
        "year": pa.Column("int64", nullable=True),
        "month": pa.Column("int64", nullable=True),
        "day": pa.Column("int64", nullable=True),
        "hour": pa.Column("int64", nullable=True),
        "origin": pa.Column("str", nullable=True),
        "dest": pa.Column("str", nullable=True),
        "carrier": pa.Column("str", nullable=True),
        "distance": pa.Column("int64", nullable=True),
        "arr_delay": pa.Column("float64", nullable=True),
        "temp": pa.Column("float64", nullable=True),
        "humid": pa.Column("float64", nullable=True),
        "wind_speed": pa.Column("float64", nullable=True),
        "precip": pa.Column("float64", nullable=True),
        "visib": pa.Column("float64", nullable=True),
        "built": pa.Column("float64", nullable=True),
        "dest_name": pa.Column("str", nullable=True),
        "tz": pa.Column("float64", nullable=True),
    }
)

TABLE = pa.DataFrameSchema(
    {
        "year": pa.Column("int64", nullable=True),
        "month": pa.Column("int64", nullable=True),
        "day": pa.Column("int64", nullable=True),
        "hour": pa.Column("int64", nullable=True),
        "origin": pa.Column("str", nullable=True),
        "carrier": pa.Column("str", nullable=True),
        "distance": pa.Column("int64", nullable=True),
        "arr_delay": pa.Column("float64", nullable=True),
        "temp": pa.Column("float64", nullable=True),
        "humid": pa.Column("float64", nullable=True),
        "wind_speed": pa.Column("float64", nullable=True),
        "precip": pa.Column("float64", nullable=True),
        "visib": pa.Column("float64", nullable=True),
        "built": pa.Column("float64", nullable=True),
        "tz": pa.Column("float64", nullable=True),
        "late": pa.Column("bool", nullable=True),
        "age": pa.Column("float64", nullable=True),
        "weekday": pa.Column("str", nullable=True),
        "part": pa.Column("str", nullable=True),
    }
)

X_TRAIN = pa.DataFrameSchema(
    {
        "hour": pa.Column("int64", nullable=True),
        "distance": pa.Column("int64", nullable=True),
        "age": pa.Column("float64", nullable=True),
        "temp": pa.Column("float64", nullable=True),
        "humid": pa.Column("float64", nullable=True),
        "wind_speed": pa.Column("float64", nullable=True),
        "precip": pa.Column("float64", nullable=True),
        "visib": pa.Column("float64", nullable=True),
        "carrier": pa.Column("str", nullable=True),
        "origin": pa.Column("str", nullable=True),
        "tz": pa.Column("float64", nullable=True),
        "weekday": pa.Column("str", nullable=True),
        "part": pa.Column("str", nullable=True),
        "day": pa.Column("int64", nullable=True),
    }
)

X_TEST = pa.DataFrameSchema(
    {
        "hour": pa.Column("int64", nullable=True),
        "distance": pa.Column("int64", nullable=True),
        "age": pa.Column("float64", nullable=True),
        "temp": pa.Column("float64", nullable=True),
        "humid": pa.Column("float64", nullable=True),
        "wind_speed": pa.Column("float64", nullable=True),
        "precip": pa.Column("float64", nullable=True),
        "visib": pa.Column("float64", nullable=True),
        "carrier": pa.Column("str", nullable=True),
        "origin": pa.Column("str", nullable=True),
        "tz": pa.Column("float64", nullable=True),
        "weekday": pa.Column("str", nullable=True),
        "part": pa.Column("str", nullable=True),
        "day": pa.Column("int64", nullable=True),
    }
)

PENALTIES = pa.DataFrameSchema(
    {
        "C": pa.Column("float64", nullable=True),
        "auc": pa.Column("float64", nullable=True),
        "spread": pa.Column("float64", nullable=True),
    }
)

BY_HOUR = pa.DataFrameSchema(
    {
        "hour": pa.Column("int64", nullable=True),
        "flights": pa.Column("int64", nullable=True),
        "late_share": pa.Column("float64", nullable=True),
    }
)

CONTRACTS = {
    "flights": FLIGHTS,
    "weather": WEATHER,
    "planes": PLANES,
    "airports": AIRPORTS,
    "joined": JOINED,
    "tidy": TIDY,
    "table": TABLE,
    "X_train": X_TRAIN,
    "X_test": X_TEST,
    "y_train": pandas.Series,
    "y_test": pandas.Series,
    "model": sklearn.pipeline.Pipeline,
    "penalties": PENALTIES,
    "scores": dict,
    "by_hour": BY_HOUR,
    "fig_hours": matplotlib.figure.Figure,
    "fig_calibration": matplotlib.figure.Figure,
}
