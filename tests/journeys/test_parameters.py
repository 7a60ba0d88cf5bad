"""Values from outside, all the way into the kernel."""

from __future__ import annotations

import datetime
import hashlib
import math
from pathlib import Path
from typing import Any

import yaml

from p2p.model import RunStatus
from tests.journeys.workshop import Workshop
from tests.searching import files_with

SECRET = "correct-horse-battery-staple"
PARAMS = """
    import datetime
    from pathlib import Path
    from typing import Literal
    from pydantic import SecretStr

    text: str = ""
    other: str = ""
    big: int = 0
    ratio: float = 0.0
    gap: float = 0.0
    limit: float = 0.0
    flag: bool = False
    maybe: int | None = 1
    names: list[str] = []
    table: dict[str, int] = {}
    day: datetime.date = datetime.date(2020, 1, 1)
    folder: Path = Path(".")
    mode: Literal["fast", "slow"] = "fast"
    token: SecretStr = SecretStr("none")
"""
TEXT = "both \" and ', a\nnew line, \u2028, \\n, {braces}, $HOME, %s, é, \U0001f427"
# The same texts that would break out of a string, be taken for a number, or for code.
IN_FILE = {
    "text": TEXT, "big": 10**30, "ratio": 0.1, "gap": math.nan, "limit": -math.inf, "flag": True, "maybe": None,
    "names": ["1", "no", "'); import os; ('"], "table": {"a b": 1, "": 2}, "folder": "data/ü x",
}  # fmt: skip
ON_LINE = {"other": "1; open('pwn.txt', 'w')", "day": "2024-02-29", "mode": "slow", "token": SECRET}
EXPECTED: dict[str, Any] = {
    **IN_FILE, **ON_LINE, "day": datetime.date(2024, 2, 29), "folder": Path("data/ü x"),
}  # fmt: skip


def test_values_of_every_type_come_through_exactly_and_a_secret_is_written_nowhere(workshop: Workshop) -> None:
    names = [name for name in EXPECTED if name != "token"]
    pairs = ", ".join(f"{name!r}: repr({name})" for name in names)
    path = workshop.write(
        "types",
        f"%%step tell\nseen = {{{pairs}}}",
        "%%step check\nimport hashlib\nproof = hashlib.sha256(token.get_secret_value().encode()).hexdigest()",
        "print(token, 'said by a cell')",
        params=PARAMS,
    )
    file = workshop.root / "params.yaml"
    file.write_text(yaml.safe_dump(IN_FILE, sort_keys=False), encoding="utf-8")
    options = [part for name, value in ON_LINE.items() for part in ("-p", f"{name}={value}")]
    out = workshop.root / "out" / "types.ipynb"

    done = workshop.p2p("run", str(path), "-f", str(file), *options, "-o", str(out), "--log-output", "--json")

    assert done.code == 0, done.out + done.err
    seen = done.answer["outputs"]["seen"]
    assert seen == {name: repr(EXPECTED[name]) for name in names}
    assert done.answer["outputs"]["proof"] == hashlib.sha256(SECRET.encode()).hexdigest()
    assert "said by a cell" in done.err
    assert out.is_file()
    assert Path(done.answer["notebook"]) == out
    assert files_with(SECRET, below=workshop.root / "mlruns") == []
    assert SECRET not in done.out + done.err + out.read_text(encoding="utf-8")
    assert not list(workshop.root.rglob("pwn.txt"))
    run = workshop.mlflow_run(done.answer["run_id"])
    assert run.info.status == RunStatus.FINISHED
    assert run.data.params["day"] == "2024-02-29"
    assert run.data.params["mode"] == "slow"
