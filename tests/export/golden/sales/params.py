"""Parameters of sales."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Params(BaseModel):
    """The parameters of the notebook."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    month: Annotated[int, Field(ge=1, le=12)] = 1
    """counted from January"""

    shop: str | None = None
