"""The same notebook gives the same files, whatever the hash seed, the directory and the locale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.building import write_notebook

REPOSITORY = Path(__file__).resolve().parents[2]
CELLS = (
    "from math import *\nfrom mine import *\nimport pack.deep, json, random",
    "random.seed(3)\nLIMITS = {'é', 'b', 'a', 'c'}",
    "def helper(x):\n    return floor(x) + len(LIMITS) + mine(x) + pack.deep.ONE",
    "%%step load\nrows = [helper(n + 0.5) for n in range(4)]\nkinds = {str(r) for r in rows}",
    "noise = random.random()\nrows.append(round(noise))",
    "%%step fit --retries 2 --retry-on OSError,ValueError\nbest, worst = max(rows), min(rows)\nnames = sorted(kinds)",
    "%%step show\ntext = json.dumps([best, worst, names, sqrt(best)])",
)
COMPILE = """
import sys
from pathlib import Path
from p2p.export import emit
from p2p.export.compile import compile_notebook
from p2p.notebook import parameters_of, read_notebook
notebook = read_notebook(Path(sys.argv[1]))
parameters = parameters_of(notebook)
plan = compile_notebook(notebook, "same", [p["name"] for p in parameters.describe()])
texts = [text for name, text in plan.neighbours.texts()]
texts += [emit.params_file(parameters, plan), emit.steps_file(plan, {}, parameters), emit.pipeline_file(plan, 1)]
sys.stdout.buffer.write("\\n".join(texts).encode())
"""


def compiled(folder: Path, seed: str, locale: str) -> bytes:
    (folder / "pack").mkdir(parents=True)
    (folder / "mine.py").write_text(
        "import pack.deep\nOTHERS = {'é', 'b', 'a'}\ndef mine(x):\n    return 0\n", encoding="utf-8"
    )
    (folder / "pack" / "deep.py").write_text("ONE = 1\n", encoding="utf-8")
    path = write_notebook(folder / "nb.ipynb", *CELLS, params="month: int = 1")
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [sys.executable, "-c", COMPILE, str(path)], cwd=folder, env=environment, capture_output=True, check=True
    ).stdout


def test_the_files_of_a_version_depend_on_the_notebook_alone(tmp_path: Path) -> None:
    places = [(tmp_path / "a", "1", "C"), (tmp_path / "b é", "2", "C.UTF-8"), (tmp_path / "c", "77", "POSIX")]
    first, *others = [compiled(*place) for place in places]
    assert b"def fit" in first
    assert b"from .modules.mine import mine" in first
    assert b"from .pack import deep as _pack_deep" in first
    assert [other == first for other in others] == [True, True]
