"""The steps of penguins, in the order in which they run."""

import pandas as pd
from palmerpenguins import load_penguins


def load() -> pd.DataFrame:
    """Data (cell 3)."""
    penguins = load_penguins()
    return penguins


def clean(penguins: pd.DataFrame, species, min_mass: float) -> pd.DataFrame:
    """Data (cell 6)."""
    tidy = penguins.dropna(subset=["flipper_length_mm", "body_mass_g"])
    tidy = tidy[tidy["body_mass_g"] >= min_mass]
    if species is not None:
        tidy = tidy[tidy["species"] == species]
    # a line takes two points at least
    if len(tidy) < 2:
        raise ValueError(f"{len(tidy)} penguins left with species {species} and at least {min_mass} g")
    return tidy


def fit(tidy: pd.DataFrame) -> dict[str, float]:
    """Slope (grams per millimetre), intercept (grams) and R² of mass over flipper length."""
    x = tidy["flipper_length_mm"].to_numpy()
    y = tidy["body_mass_g"].to_numpy()
    # centred first: a flipper of zero length is far from any penguin
    dx, dy = x - x.mean(), y - y.mean()
    slope = (dx * dy).sum() / (dx**2).sum()
    rest = dy - slope * dx
    return {
        "slope": float(slope),
        "intercept": float(y.mean() - slope * x.mean()),
        "r2": float(1 - (rest**2).sum() / (dy**2).sum()),
    }
