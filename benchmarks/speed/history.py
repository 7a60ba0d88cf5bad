"""A project with a long past: the runs that it has had, copied as often as it takes, each a run of its own.

A copy has its own key, times and MLflow id, in its journal as in MLflow's store; values of its own, whose digests are
those of their bytes; and its own entries in the cache. It lies before the runs that it is copied from. What MLflow
keeps of a run in its artifact folder is not copied, and the files beside the journal are linked.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from blake3 import blake3

from benchmarks.commands import run
from benchmarks.speed.measuring import wait_for_rest
from benchmarks.speed.notebooks import write
from benchmarks.speed.projects import ready
from benchmarks.speed.work import tiny
from p2p.settings import Settings, load_settings
from p2p.store import Ledger
from p2p.tracking import read_events
from p2p.tracking.journal import NAME

_MAKING = 120.0  # seconds
_APART = timedelta(minutes=7)  # between two runs of the past
_AT = re.compile(rb'"at":\s*(\d+)')
_KEY_TIME = "%Y%m%dT%H%M%S.%f"


def with_past(runs: int) -> Callable[[Path], None]:
    """Makes a project with a notebook, the pipeline that was exported of it, and a notebook that has never run well.

    Args:
        runs: how many runs it has had; a fourth of them are for proofs, and a fourth have failed.
    """

    def prepare(folder: Path) -> None:
        ready(folder)
        (folder / "notebooks").mkdir()
        write(folder / "notebooks" / "tiny.ipynb", tiny.CELLS)
        write(folder / "notebooks" / "failing.ipynb", tiny.FAILING)
        write(folder / "notebooks" / "untried.ipynb", tiny.CELLS)
        for command in ("run notebooks/failing.ipynb", "run notebooks/tiny.ipynb", "export notebooks/tiny.ipynb",
                        "run tiny -p i=5"):  # fmt: skip
            p2p = [sys.executable, "-m", "p2p", *command.split()]
            run(p2p, folder, _MAKING, {"P2P_ROOT": str(folder)})
            wait_for_rest(folder)
        grow(load_settings(folder, {}), runs)

    return prepare


@dataclass(frozen=True)
class Template:
    """A run that is copied.

    Attributes:
        run_id: MLflow's id of it.
        trace: MLflow's id of its trace.
        values: its value files, by the digest that is in its journal.
        entries: its entries in the cache.
    """

    directory: Path
    run_id: str
    trace: str
    values: Mapping[str, Path]
    entries: Sequence[bytes]

    @property
    def key(self) -> str:
        return self.directory.name


def grow(settings: Settings, runs: int) -> None:
    """Copy the runs of a project in turn, all of which have ended and are known to MLflow, until there are `runs`."""
    templates = [_template(settings, directory) for directory in sorted(settings.runs.iterdir())]
    ledger = Ledger(settings.cache)
    copies: list[tuple[Template, dict[str, str], timedelta]] = []
    for number in range(1, runs - len(templates) + 1):
        template, back = templates[number % len(templates)], _APART * number
        new = _names(template, back)
        for digest, path in template.values.items():
            new[digest] = _value(path, number)
        _directory(template, new, back)
        for text in template.entries:
            ledger.add(blake3(text + new[template.key].encode()).hexdigest(), _renamed(text, new))
        copies.append((template, new, back))
    _tell_mlflow(settings, copies)


def _template(settings: Settings, directory: Path) -> Template:
    journal = (directory / NAME).read_text(encoding="utf-8")
    run_id = next(event["run_id"] for event in read_events(directory) if event["kind"] == "mlflow_run")
    files = {path.name.partition(".")[0]: path for path in settings.values.glob("??/*")}
    values = {digest: path for digest, path in files.items() if digest in journal}
    own = f'"run": "{directory.name}"'.encode()
    entries = [text for _, text in Ledger(settings.cache).entries() if own in text]
    return Template(directory, run_id, f"tr-{blake3(directory.name.encode()).hexdigest(length=16)}", values, entries)


def _names(template: Template, back: timedelta) -> dict[str, str]:
    """What stands in a copy in place of its template's names."""
    began = datetime.strptime(template.key.partition("-")[0], _KEY_TIME).replace(tzinfo=UTC) - back
    key = f"{began:{_KEY_TIME}}-{uuid.uuid4().hex[:8]}"
    return {
        template.key: key, template.run_id: uuid.uuid4().hex,
        template.trace: f"tr-{blake3(key.encode()).hexdigest(length=16)}",
    }  # fmt: skip


def _value(path: Path, number: int) -> str:
    """Another value of the same kind and size; gives its digest."""
    data = path.read_bytes() + f" {number}".encode()
    digest: str = blake3(data).hexdigest()
    target = path.parent.parent / digest[:2] / f"{digest}{path.name[64:]}"
    target.parent.mkdir(exist_ok=True, mode=0o700)
    target.write_bytes(data)
    return digest


def _directory(template: Template, new: Mapping[str, str], back: timedelta) -> None:
    target = template.directory.parent / new[template.key]
    target.mkdir(mode=0o700)
    for path in template.directory.iterdir():
        if path.suffix in (".jsonl", ".json", ".lock"):
            data = _renamed(path.read_bytes(), new)
            (target / path.name).write_bytes(_AT.sub(lambda at: b'"at": %d' % (int(at[1]) - _ns(back)), data))
        else:
            os.link(path, target / path.name)


def _renamed(text: bytes, new: Mapping[str, str]) -> bytes:
    for old, name in new.items():
        text = text.replace(old.encode(), name.encode())
    return text


def _ns(back: timedelta) -> int:
    return back // timedelta(microseconds=1) * 1000


def _tell_mlflow(settings: Settings, copies: Sequence[tuple[Template, Mapping[str, str], timedelta]]) -> None:
    """Copy every row that MLflow has of the templates, in all tables."""
    with contextlib.closing(sqlite3.connect(settings.tracking_uri.removeprefix("sqlite:///"))) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [str(row[1]) for row in database.execute(f"PRAGMA table_info({table})")]
            rows = [row for (row,) in database.execute(f"SELECT {_as_json(columns)} FROM {table}")]
            made = list(_copies(columns, rows, copies))
            if made:
                marks = ", ".join("?" * len(columns))
                database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", made)
        database.commit()


def _as_json(columns: Sequence[str]) -> str:
    return f"json_array({', '.join(columns)})"


def _copies(
    columns: Sequence[str], rows: Sequence[str], copies: Sequence[tuple[Template, Mapping[str, str], timedelta]]
) -> Iterator[Sequence[object]]:
    for template, new, back in copies:
        for row in rows:
            if template.run_id in row or template.trace in row:
                values = json.loads(_renamed(row.encode(), new))
                yield [_earlier(name, value, back) for name, value in zip(columns, values, strict=True)]


def _earlier(column: str, value: object, back: timedelta) -> object:
    """A time of the copy's own."""
    scale = {"start_time": 1, "end_time": 1, "timestamp": 1, "timestamp_ms": 1}.get(column, 0)
    scale = 1_000_000 if column.endswith("_unix_nano") else scale
    return value - back // timedelta(milliseconds=1) * scale if isinstance(value, int) and scale else value
