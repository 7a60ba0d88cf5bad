"""Runs of a notebook by papermill in one process, one after the other. `papermill_runs NOTEBOOK COUNT`."""

from __future__ import annotations

import sys

import papermill


def main(notebook: str, count: int) -> None:
    for i in range(1, count + 1):
        papermill.execute_notebook(
            notebook, f"executed_{i}.ipynb", parameters={"i": i}, kernel_name="python3", progress_bar=False
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
