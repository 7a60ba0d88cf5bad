"""A pipeline run in a process of its own, for those who must not share memory with it: verification, the command line.

Reads one JSON document on stdin and answers with one on stdout: `python -m p2p.runners.child MODULE`, where MODULE has
a `pipeline`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from p2p.cache import Reuse
from p2p.cache.watching import writes
from p2p.execution.generators import seed
from p2p.params import ParameterSet
from p2p.runners.local import run_pipeline
from p2p.runners.surroundings import no_windows
from p2p.settings import Settings


@no_windows()
def main() -> int:
    """Run the pipeline that stdin asks for."""
    request = json.load(sys.stdin)
    answer_to = sys.stdout
    sys.stdout = sys.stderr  # what steps print is not part of the answer
    sys.path[:0] = request["path"]
    root = Path(request["root"]).resolve()
    ours = [Path(__file__).parents[1], Path(sys.prefix), root / "mlruns", root / "pipelines"]
    read = files_read(Path.cwd(), root, ours)
    if request["seed"] is not None:
        with suppress(ImportError):
            importlib.import_module("numpy.random")  # so that it is seeded as well
        seed(request["seed"])
    pipeline = importlib.import_module(sys.argv[1]).pipeline
    settings = Settings(Path(request["root"]), request["tracking_uri"], request["experiment"])
    values = ParameterSet.of(pipeline.params).parse(request["params"])
    outcome = run_pipeline(pipeline, values, settings, notebook_digest=request["notebook_digest"], tags=request["tags"],
                           reuse=Reuse(cache=False),  # what is to be proven is run
                           engine=request["engine"])  # fmt: skip
    answer: dict[str, Any] = {**outcome.as_dict(), "read": sorted(read)}
    answer_to.write(json.dumps(answer))
    return 0 if outcome.status.value == "FINISHED" else 1


def files_read(directory: Path, root: Path, apart: Sequence[Path] = ()) -> set[str]:
    """Files that this process opens from now on, unless it has written them itself: paths relative to `directory`.

    Seen are those that are opened through Python, not those that a library's own C code opens.

    Args:
        directory: files in it count.
        root: where `directory` lies in it, so do files in `root`.
        apart: files in these do not count.
    """
    read: set[str] = set()
    written: set[str] = set()
    directory, places = directory.resolve(), [place.resolve() for place in apart]
    within = root.resolve() if directory.is_relative_to(root.resolve()) else directory

    def opened(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "sqlite3.connect") or not isinstance(arguments[0], str | bytes):
            return
        path = Path(os.path.normpath(Path(os.fsdecode(arguments[0])).absolute()))
        if path.is_relative_to(within) and not any(map(path.is_relative_to, places)):
            name = Path(os.path.relpath(path, directory)).as_posix()
            if event == "open" and writes(arguments):
                written.add(name)
            elif name not in written and path.is_file():
                read.add(name)

    sys.addaudithook(opened)
    return read


if __name__ == "__main__":
    sys.exit(main())
