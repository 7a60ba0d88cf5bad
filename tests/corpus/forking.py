"""A process that has imported what takes seconds to import, and forks for each piece of work.

A request is one line of JSON: `do` names a function of `DOES`, `folder` the directory to work in; the answer is the
line `done` when the function's result lies in `<folder>/<do>.json`, and what went wrong otherwise. Each such process
has its own hash seed and its own states of the random generators, as two runs of a notebook have.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 120
_PRELOADED = (
    "IPython.core.completerlib", "IPython.core.interactiveshell", "IPython.core.magics", "cloudpickle",
    "matplotlib.pyplot", "numpy", "p2p.magics.extension", "p2p.runners.local", "pandas", "pandera.pandas", "pyarrow",
    "pydantic", "sklearn.linear_model",
)  # fmt: skip
DOES = {
    "notebook": "tests.corpus.notebookside", "module": "tests.corpus.moduleside",
    "comparing": "tests.corpus.comparingside",
}  # fmt: skip


class Forking:
    """Such a process, seen from outside.

    Args:
        ipython: whether an IPython shell stands ready in it.
        seed: for the order of its sets.
        backend: of matplotlib, which looks for it when it is imported.
    """

    def __init__(self, *, ipython: bool, seed: int, backend: str) -> None:
        self._own = TemporaryDirectory()
        environment = {
            **os.environ, "PYTHONHASHSEED": str(seed), "MPLBACKEND": backend, "IPYTHONDIR": self._own.name,
            "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.corpus.forking", *(["ipython"] if ipython else [])], cwd=_ROOT,
            env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, do: str, folder: Path, **request: Any) -> dict[str, Any]:
        """What the work gives; RuntimeError when it does not come to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, "folder": str(folder), **request}) + "\n")
        self._process.stdin.flush()
        if (said := self._process.stdout.readline()) != "done\n":
            raise RuntimeError(f"{do}: {said}{(folder / f'{do}.log').read_text(errors='replace')[-3000:]}")
        answer: dict[str, Any] = json.loads((folder / f"{do}.json").read_text(encoding="utf-8"))
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)
        self._own.cleanup()


def main() -> None:
    """Answer requests until stdin ends."""
    if "ipython" in sys.argv:
        importlib.import_module(DOES["notebook"]).prepare()
    for name in (*_PRELOADED, *DOES.values()):
        importlib.import_module(name)
    _warm_pydantic()
    gc.freeze()  # else each fork's first collection copies the memory of all that is loaded
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _work(request)
        _, status = os.waitpid(child, 0)
        print("done" if status == 0 else f"ended with {status}", flush=True)  # noqa: T201  # the answer


def _warm_pydantic() -> None:
    """Make a model as modules have them: that looks up its plugins, and the file of every module."""
    from pydantic import BaseModel, ConfigDict

    class Params(BaseModel):
        model_config = ConfigDict(use_attribute_docstrings=True)
        rows: int = 1


def _work(request: dict[str, Any]) -> None:
    folder, do = Path(request["folder"]), request["do"]
    status = 1
    try:
        signal.alarm(_SECONDS)
        _redirect(folder / f"{do}.log")
        answer = importlib.import_module(DOES[do]).work(**{k: v for k, v in request.items() if k != "do"})
        (folder / f"{do}.json").write_text(json.dumps(answer), encoding="utf-8")
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _redirect(log: Path) -> None:
    """Let what the work prints go to a file: this process's own streams carry the answers."""
    for stream, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY | os.O_CREAT | os.O_APPEND)):
        opened = os.open(os.devnull if stream == 0 else log, flags, 0o600)
        os.dup2(opened, stream)
    os.dup2(1, 2)


if __name__ == "__main__":
    main()
