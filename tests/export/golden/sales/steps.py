"""The steps of sales, in the order in which they run."""

import random

import pandas as pd

random.seed(7)


# the share that the state takes
VAT = 0.2


def gross(net):
    "With the tax on top."
    return net * (1 + VAT)


def rounded(value):
    return round(value, 1)


def load() -> tuple[pd.DataFrame, str]:
    """The data (cell 4)."""
    sales = pd.DataFrame({"month": [1, 1, 2], "net": [10.0, 20.0, 5.0]})
    note = """
  as it came
"""
    return sales, note


def clean(sales: pd.DataFrame, month: int) -> pd.DataFrame:
    """The data (cell 7)."""

    def in_month(frame):
        return frame[frame["month"] == month]

    tidy = in_month(sales)  # of one month
    tidy = tidy.assign(gross=gross(tidy["net"]))
    return tidy


def prepare_best(tidy: pd.DataFrame):
    """The data (cell 8)."""
    best = tidy["net"].max()
    return best


def total(tidy, best, *, shop=None):
    "The sum, and how far the best is above the mean."
    return rounded(tidy["gross"].sum()), best - tidy["net"].mean()
