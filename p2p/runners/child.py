"""A pipeline run in a process of its own, for those who must not share memory with it: verification, the command line.

Reads one JSON document on stdin and answers with one on stdout: `python -m p2p.runners.child MODULE`, where MODULE has
a `pipeline`.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from p2p.cache import Reuse
from p2p.params import ParameterSet
from p2p.runners.local import no_windows, run_pipeline
from p2p.settings import Settings


@no_windows()
def main() -> int:
    """Run the pipeline that stdin asks for."""
    request = json.load(sys.stdin)
    answer_to = sys.stdout
    sys.stdout = sys.stderr  # what steps print is not part of the answer
    sys.path[:0] = request["path"]
    pipeline = importlib.import_module(sys.argv[1]).pipeline
    settings = Settings(Path(request["root"]), request["tracking_uri"], request["experiment"])
    values = ParameterSet.of(pipeline.params).parse(request["params"])
    outcome = run_pipeline(pipeline, values, settings, notebook_digest=request["notebook_digest"], tags=request["tags"],
                           reuse=Reuse(cache=False))  # fmt: skip  # what is to be proven is run
    answer: dict[str, Any] = outcome.as_dict()
    answer_to.write(json.dumps(answer))
    return 0 if outcome.status.value == "FINISHED" else 1


if __name__ == "__main__":
    sys.exit(main())
