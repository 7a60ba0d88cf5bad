"""What the values of flight_delays must look like. Checked wherever a step takes or gives one."""

import matplotlib.figure
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
    "y_train": pa.SeriesSchema("bool", nullable=True, name="late"),
    "y_test": pa.SeriesSchema("bool", nullable=True, name="late"),
    "model": sklearn.pipeline.Pipeline,
    "penalties": PENALTIES,
    "scores": dict,
    "by_hour": BY_HOUR,
    "fig_hours": matplotlib.figure.Figure,
    "fig_calibration": matplotlib.figure.Figure,
}

# What the recorded values were like, to be read; nothing is held to it: other data may differ.
OBSERVED = {
    "flights": {
        "year": {"min": 2013, "max": 2013},
        "month": {"min": 1, "max": 12},
        "day": {"min": 1, "max": 31},
        "dep_time": {"min": 1.0, "max": 2400.0, "nulls": True},
        "sched_dep_time": {"min": 106, "max": 2359},
        "dep_delay": {"min": -43.0, "max": 1301.0, "nulls": True},
        "arr_time": {"min": 1.0, "max": 2400.0, "nulls": True},
        "sched_arr_time": {"min": 1, "max": 2359},
        "arr_delay": {"min": -86.0, "max": 1272.0, "nulls": True},
        "carrier": {"nulls": False},
        "flight": {"min": 1, "max": 8500},
        "tailnum": {"nulls": True},
        "origin": {"values": ["EWR", "JFK", "LGA"], "nulls": False},
        "dest": {"nulls": False},
        "air_time": {"min": 20.0, "max": 695.0, "nulls": True},
        "distance": {"min": 17, "max": 4983},
        "hour": {"min": 1, "max": 23},
        "minute": {"min": 0, "max": 59},
        "time_hour": {"nulls": False},
    },
    "weather": {
        "origin": {"values": ["EWR", "JFK", "LGA"], "nulls": False},
        "year": {"min": 2013, "max": 2013},
        "month": {"min": 1, "max": 12},
        "day": {"min": 1, "max": 31},
        "hour": {"min": 0, "max": 23},
        "temp": {"min": 10.94, "max": 100.04, "nulls": True},
        "dewp": {"min": -9.94, "max": 78.08, "nulls": True},
        "humid": {"min": 12.74, "max": 100.0, "nulls": True},
        "wind_dir": {"min": 0.0, "max": 360.0, "nulls": True},
        "wind_speed": {"min": 0.0, "max": 1048.36058, "nulls": True},
        "wind_gust": {"min": 16.11092, "max": 66.74524, "nulls": True},
        "precip": {"min": 0.0, "max": 1.21, "nulls": False},
        "pressure": {"min": 983.8, "max": 1042.1, "nulls": True},
        "visib": {"min": 0.0, "max": 10.0, "nulls": False},
        "time_hour": {"nulls": False},
    },
    "planes": {
        "tailnum": {"nulls": False},
        "year": {"min": 1956.0, "max": 2013.0, "nulls": True},
        "type": {"values": ["Fixed wing multi engine", "Fixed wing single engine", "Rotorcraft"], "nulls": False},
        "manufacturer": {"nulls": False},
        "model": {"nulls": False},
        "engines": {"min": 1, "max": 4},
        "seats": {"min": 2, "max": 450},
        "speed": {"min": 90.0, "max": 432.0, "nulls": True},
        "engine": {
            "values": ["4 Cycle", "Reciprocating", "Turbo-fan", "Turbo-jet", "Turbo-prop", "Turbo-shaft"],
            "nulls": False,
        },
    },
    "airports": {
        "faa": {"nulls": False},
        "name": {"nulls": False},
        "lat": {"min": 19.721375, "max": 72.270833, "nulls": False},
        "lon": {"min": -176.646, "max": 174.11362, "nulls": False},
        "alt": {"min": -54, "max": 9078},
        "tz": {"min": -10, "max": 8},
        "dst": {"values": ["A", "N", "U"], "nulls": False},
        "tzone": {"nulls": True},
    },
    "joined": {
        "year": {"min": 2013, "max": 2013},
        "month": {"min": 1, "max": 12},
        "day": {"min": 1, "max": 31},
        "hour": {"min": 1, "max": 23},
        "origin": {"values": ["EWR", "JFK", "LGA"], "nulls": False},
        "dest": {"nulls": False},
        "carrier": {"nulls": False},
        "distance": {"min": 17, "max": 4983},
        "arr_delay": {"min": -86.0, "max": 1272.0, "nulls": True},
        "temp": {"min": 10.94, "max": 100.04, "nulls": True},
        "humid": {"min": 12.74, "max": 100.0, "nulls": True},
        "wind_speed": {"min": 0.0, "max": 42.57886, "nulls": True},
        "precip": {"min": 0.0, "max": 1.21, "nulls": True},
        "visib": {"min": 0.0, "max": 10.0, "nulls": True},
        "built": {"min": 1956.0, "max": 2013.0, "nulls": True},
        "dest_name": {"nulls": True},
        "tz": {"min": -10.0, "max": -5.0, "nulls": True},
    },
    "tidy": {
        "year": {"min": 2013, "max": 2013},
        "month": {"min": 1, "max": 1},
        "day": {"min": 1, "max": 31},
        "hour": {"min": 5, "max": 23},
        "origin": {"values": ["EWR", "JFK", "LGA"], "nulls": False},
        "dest": {"nulls": False},
        "carrier": {"nulls": False},
        "distance": {"min": 80, "max": 4983},
        "arr_delay": {"min": -70.0, "max": 1272.0, "nulls": False},
        "temp": {"min": 10.94, "max": 64.4, "nulls": False},
        "humid": {"min": 16.42, "max": 100.0, "nulls": False},
        "wind_speed": {"min": 0.0, "max": 42.57886, "nulls": False},
        "precip": {"min": 0.0, "max": 0.32, "nulls": False},
        "visib": {"min": 0.0, "max": 10.0, "nulls": False},
        "built": {"min": 1956.0, "max": 2013.0, "nulls": True},
        "dest_name": {"nulls": True},
        "tz": {"min": -10.0, "max": -4.0, "nulls": False},
    },
    "table": {
        "year": {"min": 2013, "max": 2013},
        "month": {"min": 1, "max": 1},
        "day": {"min": 1, "max": 31},
        "hour": {"min": 5, "max": 23},
        "origin": {"values": ["EWR", "JFK", "LGA"], "nulls": False},
        "carrier": {"nulls": False},
        "distance": {"min": 80, "max": 4983},
        "arr_delay": {"min": -70.0, "max": 1272.0, "nulls": False},
        "temp": {"min": 10.94, "max": 64.4, "nulls": False},
        "humid": {"min": 16.42, "max": 100.0, "nulls": False},
        "wind_speed": {"min": 0.0, "max": 42.57886, "nulls": False},
        "precip": {"min": 0.0, "max": 0.32, "nulls": False},
        "visib": {"min": 0.0, "max": 10.0, "nulls": False},
        "built": {"min": 1956.0, "max": 2013.0, "nulls": True},
        "tz": {"min": -10.0, "max": -4.0, "nulls": False},
        "age": {"min": 0.0, "max": 57.0, "nulls": True},
        "weekday": {
            "values": ["Friday", "Monday", "Saturday", "Sunday", "Thursday", "Tuesday", "Wednesday"],
            "nulls": False,
        },
        "part": {"values": ["afternoon", "early", "evening", "midday", "morning"], "nulls": False},
    },
    "X_train": {
        "hour": {"min": 5, "max": 23},
        "distance": {"min": 80, "max": 4983},
        "age": {"min": 0.0, "max": 57.0, "nulls": True},
        "temp": {"min": 10.94, "max": 64.4, "nulls": False},
        "humid": {"min": 23.34, "max": 100.0, "nulls": False},
        "wind_speed": {"min": 0.0, "max": 42.57886, "nulls": False},
        "precip": {"min": 0.0, "max": 0.32, "nulls": False},
        "visib": {"min": 0.0, "max": 10.0, "nulls": False},
        "carrier": {"nulls": False},
        "origin": {"values": ["EWR", "JFK", "LGA"], "nulls": False},
        "tz": {"min": -10.0, "max": -4.0, "nulls": False},
        "weekday": {
            "values": ["Friday", "Monday", "Saturday", "Sunday", "Thursday", "Tuesday", "Wednesday"],
            "nulls": False,
        },
        "part": {"values": ["afternoon", "early", "evening", "midday", "morning"], "nulls": False},
        "day": {"min": 2, "max": 31},
    },
    "X_test": {
        "hour": {"min": 5, "max": 23},
        "distance": {"min": 80, "max": 4983},
        "age": {"min": 1.0, "max": 54.0, "nulls": True},
        "temp": {"min": 26.96, "max": 57.92, "nulls": False},
        "humid": {"min": 16.42, "max": 100.0, "nulls": False},
        "wind_speed": {"min": 0.0, "max": 28.769499999999997, "nulls": False},
        "precip": {"min": 0.0, "max": 0.19, "nulls": False},
        "visib": {"min": 0.12, "max": 10.0, "nulls": False},
        "carrier": {"nulls": False},
        "origin": {"values": ["EWR", "JFK", "LGA"], "nulls": False},
        "tz": {"min": -10.0, "max": -4.0, "nulls": False},
        "weekday": {"values": ["Friday", "Monday", "Sunday", "Tuesday"], "nulls": False},
        "part": {"values": ["afternoon", "early", "evening", "midday", "morning"], "nulls": False},
        "day": {"min": 1, "max": 29},
    },
    "penalties": {
        "C": {"min": 0.01, "max": 1.0, "nulls": False},
        "auc": {"min": 0.6655361033043512, "max": 0.667885675681132, "nulls": False},
        "spread": {"min": 0.015037796873402969, "max": 0.018391841694556522, "nulls": False},
    },
    "by_hour": {
        "hour": {"min": 5, "max": 23},
        "flights": {"min": 68, "max": 2218},
        "late_share": {"min": 0.14012738853503184, "max": 0.32116336633663367, "nulls": False},
    },
}
