"""Parameters of wine."""

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """The parameters of the notebook."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    groups: int = 3

    seed: int = 0
