"""What the record of a run costs: `python -m benchmarks.recording [NOTEBOOK]`.

The same notebook, run by `papermill` without p2p and without its marks, and by `p2p run`, which stores the values of
every step and looks at the live values and the random generators at each cell's border. Each from the command line, in
turn, in a directory of its own, with nothing cached.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat

from p2p.analysis import split_mark

ROUNDS = 3
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "flight_delays.ipynb"


def plain(notebook: Path, target: Path) -> None:
    """The notebook as it was before p2p: without its marks and its extension."""
    document = nbformat.read(notebook, as_version=4)
    for cell in document.cells:
        if cell.cell_type == "code":
            body = split_mark(cell.source)[1] if cell.source.lstrip().startswith("%%step") else cell.source
            cell.source = "\n".join(line for line in body.split("\n") if not line.startswith("%load_ext p2p"))
    nbformat.write(document, target)


def seconds(command: Sequence[str], directory: Path) -> float:
    """Wall time of a command, which must succeed."""
    environment = {**os.environ, "P2P_ROOT": str(directory)}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", *command], cwd=directory, env=environment, capture_output=True, check=True)
    return time.perf_counter() - began


def once(notebook: Path) -> tuple[float, float]:
    """Seconds of a plain run, and of a recorded one."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # MLflow is told a moment later
        root = Path(folder).resolve()
        plain(notebook, root / "plain.ipynb")
        marked = root / notebook.name
        marked.write_bytes(notebook.read_bytes())
        return (seconds(["papermill", "plain.ipynb", "executed.ipynb", "-k", "python3"], root),
                seconds(["p2p", "run", str(marked)], root))  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording", description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path, nargs="?", default=NOTEBOOK)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    found = [once(options.notebook.resolve()) for _ in range(options.rounds)]
    without, recorded = (statistics.median(column) for column in zip(*found, strict=True))
    print("| notebook | papermill, s | p2p run, s | ratio |\n|---|---|---|---|")
    print(f"| {options.notebook.name} | {without:.1f} | {recorded:.1f} | {recorded / without:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
