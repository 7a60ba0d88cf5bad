"""The command: which lines, how often; then one table."""

from __future__ import annotations

import argparse
import compileall
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.commands import PROJECT
from benchmarks.speed.bench import Bench
from benchmarks.speed.machine import byte_code, load, machine, versions
from benchmarks.speed.peers import Peers
from benchmarks.speed.registry import ASKED_FOR, LINES
from benchmarks.speed.rows import SECONDS, Figure, Row, cells, table

ROUNDS = 3
_ASKED_FOR = f"{', '.join(sorted(ASKED_FOR))} only where they are named"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = [name for name in options.lines if name not in LINES]
    if unknown or options.rounds < 1:
        parser.error(f"no such line: {', '.join(unknown)}" if unknown else "--rounds must be 1 or more")
    # As in an installed package. The peers are installed, so pip has compiled them.
    compileall.compile_dir(PROJECT / "p2p", quiet=1)
    before, began = load(), time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(options.rounds, Peers(options.peers_folder or Path(temporary)))
        rows = [row for name in options.lines or _usual() for row in _measured(name, bench)]
    print(table(rows), end="\n\n")
    print(f"Medians of {options.rounds}. {machine()}.")
    print(f"Load: {before} before, {load()} after {(time.monotonic() - began) / 60:.0f} minutes. {byte_code()}.")
    print(f"{versions(bench.peers.versions)}.")
    return 0


def _usual() -> list[str]:
    return [name for name in LINES if name not in ASKED_FOR]


def _measured(name: str, bench: Bench) -> Iterator[Row]:
    """A line's rows, each told as it comes; a line that fails says so in a row, and the next one goes on."""
    try:
        yield from map(_told, LINES[name](bench))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other lines can be measured
        yield _told(Row(work=name, unit=SECONDS, ours=Figure(why=f"fails: {type(error).__name__}: {error}")))


def _told(row: Row) -> Row:
    print(" · ".join(filter(None, cells(row))), file=sys.stderr, flush=True)
    return row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description="How fast p2p is, beside others.")
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"of {', '.join(LINES)}; {_ASKED_FOR}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each side is measured")
    parser.add_argument("--peers-folder", type=Path, metavar="DIR", help="where the peers are installed, and stay")
    return parser


def _forget_stores() -> None:
    """What this shell says of stores and runs is not what is measured."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "P2P_"))]:
        del os.environ[name]


if __name__ == "__main__":
    _forget_stores()
    sys.exit(main())
