"""Which files below a directory hold a secret, looked for by a process of its own.

SQLite's locks belong to a process and end when it closes any handle of the file. A test that reads mlflow.db itself,
while MLflow has it open, takes away MLflow's locks: the next command to close the database then removes the log that
MLflow still writes to, and the database ends up malformed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from p2p.secrets import Masker


def files_with(*secrets: str, below: Path, leaving: Path | None = None) -> list[str]:
    """The files below a directory, but those below `leaving`, that hold a secret in any form that p2p masks."""
    asked = json.dumps({"secrets": secrets, "below": str(below), "leaving": str(leaving or "")})
    done = subprocess.run(
        [sys.executable, "-m", "tests.searching"], input=asked, cwd=Path(__file__).parents[1],
        text=True, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert answer["seen"] > 2, "hardly a file is there: a run's records must be"
    return list(answer["found"])


def _search(secrets: list[str], below: str, leaving: str) -> dict[str, object]:
    masker = Masker(secrets)
    files = [path for path in Path(below).rglob("*") if path.is_file()]
    files = [path for path in files if not leaving or not path.is_relative_to(leaving)]
    texts = {str(path): path.read_bytes().decode("utf-8", "replace") for path in files}
    return {"seen": len(texts), "found": [path for path, text in texts.items() if masker.text(text) != text]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_search(**json.loads(sys.stdin.read()))))
