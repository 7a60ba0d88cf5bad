"""Parameters of flight_delays."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Params(BaseModel):
    """The parameters of the notebook."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    month: Annotated[int, Field(ge=1, le=12)] = 1
    """the month to train on"""

    late_after: Annotated[int, Field(gt=0)] = 15
    """minutes of arrival delay that count as late"""

    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    """share of flights held out, by whole days"""

    origins: list[Literal["EWR", "JFK", "LGA"]] = ["EWR", "JFK", "LGA"]
    """airports of departure"""

    seed: Annotated[int, Field(ge=0)] = 20130101
    """for every random choice"""
