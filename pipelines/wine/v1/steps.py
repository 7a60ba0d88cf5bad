"""The steps of wine, in the order in which they run."""

import pandas as pd
from sklearn.cluster import KMeans
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler


def load():
    """Load (cell 4)."""
    data = load_wine(as_frame=True)
    wines = data.frame.rename(columns={"od280/od315_of_diluted_wines": "dilution"})
    return data, wines


def scale(wines: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame]:
    """Scale (cell 6)."""
    kinds = wines.pop("target")
    measured = pd.DataFrame(StandardScaler().fit_transform(wines), columns=wines.columns)
    return kinds, measured, wines


def group(groups: int, seed: int, wines: pd.DataFrame, measured: pd.DataFrame, kinds: pd.Series):
    """Group (cell 8)."""
    model = KMeans(n_clusters=groups, n_init=10, random_state=seed)
    wines["group"] = model.fit_predict(measured)
    agreement = adjusted_rand_score(kinds, wines["group"])
    return model, agreement, wines


def what_makes_groups(wines: pd.DataFrame) -> pd.DataFrame:
    """What makes the groups? (cell 9)."""
    profile = wines.groupby("group").mean().round(2)
    return profile
