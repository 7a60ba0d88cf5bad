"""Parameters of penguins."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """The parameters of the notebook."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    species: Literal["Adelie", "Gentoo", "Chinstrap"] | None = None
    """only this species"""

    min_mass: float = 0.0
    """grams"""
