"""Notebooks: reading them, their parameters, and running them through papermill."""

from p2p.notebook.document import Cell, Notebook, parameters_of, read_notebook
from p2p.notebook.run import RunOptions, run_notebook

__all__ = ["Cell", "Notebook", "RunOptions", "parameters_of", "read_notebook", "run_notebook"]
