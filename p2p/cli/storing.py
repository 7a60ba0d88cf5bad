"""What `p2p store` does and shows."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from p2p.cli import show
from p2p.cli.text import escape
from p2p.errors import P2PError
from p2p.quantities import size_text
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.store.collecting import StoredFile, damage, leftovers, stored_files
from p2p.upkeep import Keep, Pruned, journals, keep_to_limit, prune, run_references

SHOWN = 50
_PLACES = ("values", "leftovers", "cache", "runs", "artifacts")


def show_values(settings: Settings, *, every: bool, as_json: bool) -> None:
    """The stored values, the last used first."""
    runs = Counter(digest for journal in journals(settings.runs) for digest in run_references(journal))
    files = sorted(stored_files(settings.values), key=lambda file: file.used, reverse=True)
    if as_json:
        show.answer_json([{**_facts(file), "runs": runs[file.digest]} for file in files])
        return
    shown = files if every else files[:SHOWN]
    rows = [[f.digest[:12], f.codec, size_text(f.nbytes), _when(f.used), str(runs[f.digest])] for f in shown]
    show.table(["digest", "codec", "size", "last used", "runs"], rows)
    if len(files) > len(shown):
        show.out.print(f"[dim]{len(files) - len(shown)} more; --all shows them[/]")


def show_sizes(settings: Settings, *, as_json: bool) -> None:
    """What the project keeps, in files and bytes."""
    found = _sizes(settings)
    if as_json:
        show.answer_json(found)
        return
    rows = [[f"  {name}", str(part["count"]), size_text(part["bytes"])] for name, part in found["codecs"].items()]
    totals = [[name, str(found[name]["count"]), size_text(found[name]["bytes"])] for name in _PLACES]
    show.table(["", "files", "size"], [totals[0], *rows, *totals[1:]])
    limit = found["limit"]
    show.out.print(f"[dim]limit of values: {size_text(limit) if limit is not None else 'none'}[/]")


def check_values(settings: Settings, *, repair: bool, as_json: bool) -> int:
    """Read every value; gives how many are damaged."""
    files = list(stored_files(settings.values))
    damaged = [(file, problem) for file in files if (problem := damage(file))]
    store = DiskStore(settings.values)
    moved = {file.path: store.set_aside(file.path, file.digest) for file, _ in damaged} if repair else {}
    if as_json:
        found = [{**_facts(f), "problem": why, "moved": moved.get(f.path, False)} for f, why in damaged]
        show.answer_json({"checked": len(files), "damaged": found})
        return len(damaged)
    for file, problem in damaged:
        after = ", moved aside" if moved.get(file.path) else ""
        show.out.print(f"[red]damaged[/] {escape(str(file.path))}: {escape(problem)}{after}")
    show.out.print(f"{len(files)} values read, {len(damaged)} damaged")
    return len(damaged)


def prune_values(settings: Settings, keep: Keep, *, dry: bool, as_json: bool) -> None:
    """Remove values that only old runs refer to, and say what came free."""
    done = prune(settings, keep, dry=dry)
    if as_json:
        show.answer_json({
            "dry_run": dry, "removed": [_facts(file) for file in done.values], "cache_entries": done.entries,
            "leftovers": done.leftovers, "freed": done.freed, "left": done.left,
        })  # fmt: skip
        return
    _show_files(done.values)
    show.out.print(_summary(done, "would be removed" if dry else "removed"))


def prune_over_limit(settings: Settings) -> None:
    """After a run: bring the store back below the project's limit. That it cannot be done fails no run."""
    try:
        done = keep_to_limit(settings)
    except P2PError as problem:
        show.err.print(f"[yellow]warning:[/] {escape(str(problem))}")
        return
    if done is None or settings.values_limit is None:
        return
    if done.values:
        show.err.print(f"[dim]the stored values were over their limit: {_summary(done, 'removed')}[/]")
    if done.left > settings.values_limit:
        show.err.print(
            f"[yellow]warning:[/] the stored values take {size_text(done.left)}, more than their limit of "
            f"{size_text(settings.values_limit)}: recent runs need them. p2p store prune --keep N keeps fewer runs' "
            "values; P2P_STORE_LIMIT sets another limit."
        )


def _summary(done: Pruned, verb: str) -> str:
    what = f"{len(done.values)} values, {done.entries} cache entries and {done.leftovers} leftovers {verb}"
    return f"{what}: {size_text(done.freed)} free, {size_text(done.left)} of values left"


def _show_files(files: Sequence[StoredFile]) -> None:
    for file in files[:SHOWN]:
        size = size_text(file.nbytes)
        show.out.print(f"  {file.digest[:12]} {file.codec:<8} {size:>8}  [dim]last used {_when(file.used)}[/]")
    if len(files) > SHOWN:
        show.out.print(f"  [dim]and {len(files) - SHOWN} more[/]")


def _sizes(settings: Settings) -> dict[str, Any]:
    codecs: dict[str, list[int]] = {}
    for file in stored_files(settings.values):
        codecs.setdefault(file.codec, []).append(file.nbytes)
    return {
        "codecs": {name: _total(sizes) for name, sizes in sorted(codecs.items())},
        "values": _total([nbytes for sizes in codecs.values() for nbytes in sizes]),
        "leftovers": _total([status.st_size for _, status in leftovers(settings.values)]),
        "cache": _total(_file_sizes(settings.cache)),
        "runs": _total(_file_sizes(settings.runs)),
        "artifacts": _total(_file_sizes(settings.artifacts)),
        "limit": settings.values_limit,
    }


def _total(sizes: Sequence[int]) -> dict[str, int]:
    return {"count": len(sizes), "bytes": sum(sizes)}


def _file_sizes(folder: Path) -> list[int]:
    """The sizes of all files in a folder and below it; links are not followed."""
    sizes = []
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a run at work has just removed it
                status = os.lstat(f"{place}/{name}")  # there may be 100,000 files
                sizes += [status.st_size] if stat.S_ISREG(status.st_mode) else []
    return sizes


def _facts(file: StoredFile) -> dict[str, Any]:
    used = datetime.fromtimestamp(file.used, UTC).isoformat(timespec="seconds")
    return {"digest": file.digest, "codec": file.codec, "bytes": file.nbytes, "used": used}


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")  # the reader's own time
