"""The cell tagged `parameters` as a checked pydantic model, before any kernel starts.

`read_parameters` turns the cell's source into a `ParameterSet`; its `parse` turns values from outside into `Values`.
Knows nothing of notebooks, kernels or files other than parameter files.
"""

from p2p.params.declared import Declared, declared
from p2p.params.files import load_params_file
from p2p.params.model import ParameterSet
from p2p.params.reading import read_parameters
from p2p.params.text import parse_assignments
from p2p.params.values import Values

__all__ = [
    "Declared",
    "ParameterSet",
    "Values",
    "declared",
    "load_params_file",
    "parse_assignments",
    "read_parameters",
]
