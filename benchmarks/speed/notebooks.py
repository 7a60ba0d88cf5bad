"""Notebooks made for measuring. Every step depends on the parameter, so no run finds the results of another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nbformat

_HEAVY = [
    "import mlflow\nimport numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    "%%step load\n"
    'rows = pd.DataFrame(np.random.default_rng(i).random((1_000, 5)), columns=list("abcde"))\n'
    'rows["label"] = rows["a"] + rows["b"] > 1',
    '%%step train\nmodel = LogisticRegression().fit(rows[list("abcde")], rows["label"])',
    '%%step score\naccuracy = float(model.score(rows[list("abcde")], rows["label"]))',
    'print(f"{accuracy:.3f} with mlflow {mlflow.__version__}")',
]


def heavy() -> list[str]:
    """A notebook whose time is that of its imports: pandas, scikit-learn and mlflow."""
    return _HEAVY


def light(cells: int) -> list[str]:
    """A notebook of so many cells that do next to nothing; every tenth is a step."""
    marks = ["%%step add_{0}\n" if n % 10 == 0 else "" for n in range(1, cells + 1)]
    return [f"{mark.format(n)}x_{n} = {f'x_{n - 1}' if n > 1 else 'i'} + 1" for n, mark in enumerate(marks, 1)]


def write(path: Path, cells: Sequence[str]) -> Path:
    """A notebook with these cells below the extension and the parameter `i`."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    made.cells = [nbformat.v4.new_code_cell(source) for source in ["%load_ext p2p", "i = 0", *cells]]
    made.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(made, path)
    return path
