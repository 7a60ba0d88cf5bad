"""How long it takes to compile a notebook, without running it: `python -m benchmarks.compiling`.

Analysis, planning and code generation of notebooks of many sizes, made here: steps, helpers, exploration and imports in
the mix that notebooks have. The floor is what reading the text costs at least: `ast.parse` and `symtable` of all cells.
"""

from __future__ import annotations

import ast
import json
import statistics
import symtable
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from p2p.export import emit
from p2p.export.compile import compile_notebook
from p2p.notebook import Notebook, parameters_of, read_notebook

SIZES = (100, 300, 1_000, 3_000, 10_000)
LINES = 2_000
ROUNDS = 3


def cells(count: int) -> list[str]:
    """A notebook's cells: each tenth imports, each third explores, the others are steps that use what came before."""
    made = ["import math\nimport json\nlimit = 3"]
    last = "first"
    made.append(f"%%step start\n{last} = [1.0, 2.0, 3.0]")
    for number in range(len(made), count):
        if number % 10 == 0:
            made.append(f"def helper_{number}(values, by=limit):\n    return [math.sqrt(v) * by for v in values]")
        elif number % 3 == 0:
            made.append(f"print(len({last}))\nlook_{number} = sorted({last})\nlook_{number}[:3]")
        else:
            helper = max(10, number - number % 10)
            call = f"helper_{helper}({last})" if number > 10 else f"[v + limit for v in {last}]"
            made.append(
                f"%%step step_{number}\n# what step {number} is for\nvalues_{number} = {call}\n"
                f"for i, v in enumerate(values_{number}):\n    values_{number}[i] = v + {number}"
            )
            last = f"values_{number}"
    return made


def notebook(folder: Path, sources: list[str]) -> Notebook:
    path = folder / "made.ipynb"
    document = {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": [{"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "execution_count": None,
                   "source": source} for n, source in enumerate(sources)],
    }  # fmt: skip
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_notebook(path)


def compiled(found: Notebook) -> None:
    """What `p2p export` does before it runs anything."""
    parameters = parameters_of(found)
    plan = compile_notebook(found, "made", [p["name"] for p in parameters.describe()])
    emit.params_file(parameters, plan)
    emit.steps_file(plan, {}, parameters)
    emit.pipeline_file(plan, 1)


def floor(found: Notebook) -> None:
    """Reading the text, and nothing else."""
    for cell in found.cells:
        text = cell.source.partition("\n")[2] if cell.source.startswith("%%") else cell.source
        ast.parse(text)
        symtable.symtable(text, "cell", "exec")


def seconds(call: Callable[[Notebook], None], found: Notebook) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call(found)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> int:
    print("| cells | lines | compile, s | ms a cell | floor, s | ratio |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for count in (*SIZES, _cells_with(LINES)):
            sources = cells(count)
            found = notebook(Path(folder), sources)
            lines = sum(source.count("\n") + 1 for source in sources)
            ours, least = seconds(compiled, found), seconds(floor, found)
            print(f"| {count} | {lines} | {ours:.2f} | {1000 * ours / count:.2f} | {least:.3f} | {ours / least:.1f} |",
                  flush=True)  # fmt: skip
    return 0


def _cells_with(lines: int) -> int:
    """How many cells have about that many lines."""
    return next(n for n in range(100, 10_000) if sum(s.count("\n") + 1 for s in cells(n)) >= lines)


if __name__ == "__main__":
    sys.exit(main())
