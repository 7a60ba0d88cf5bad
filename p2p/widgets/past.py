"""The runs of this notebook as the panel lists them: filtered, sorted, in pages; two compared; a figure over all.

The journals of thousands of runs that nobody has read before take seconds. So the page with the newest ones is shown
before the others are read, where the page asks for that, and says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from p2p.history import Run, compare, newest_first
from p2p.settings import Settings
from p2p.widgets.form import written

PAGE = 50
_SOON = 0.5  # seconds after which the newest runs are shown without the others


class PastRuns:
    """The runs of a notebook, and of the pipeline that was exported from it.

    Args:
        settings: the project's.
        name: the notebook's; all runs of the project where nobody tells.
        turn: held while all runs are read. Who asks beside that waits, and finds what the other one has kept of them.
        clock: seconds that never jump.
    """

    def __init__(
        self, settings: Settings, name: str | None, *, turn: AbstractContextManager[Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._name = name
        self._turn = turn or nullcontext()
        self._clock = clock

    def page(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A page of rows.

        Args:
            asked: `text` to look for in parameters, ids and errors; `status`; `sort`, a column, with `down`; `page`,
                from 0; `soon`, to be told of the newest runs first where reading all of them takes long.

        Returns:
            `rows`, `columns` (names of parameters and metrics that are told), `total`, `page` and `pages`; and whether
            that is `whole`. Where it is not, it is what the newest runs give: the others may only come after its rows.
        """
        column, down = str(asked.get("sort") or "began"), bool(asked.get("down", True))
        soon = bool(asked.get("soon")) and column == "began" and down and not asked.get("page")
        found, whole = self._read(asked, soon=soon)
        names = _names(found)
        ordered = sorted(found, key=lambda run: _sortable(run, column), reverse=down)
        last = max((len(ordered) - 1) // PAGE, 0)
        page = min(max(int(asked.get("page") or 0), 0), last)
        rows = [_row(run) for run in ordered[page * PAGE : (page + 1) * PAGE]]
        return {"rows": rows, "columns": names, "total": len(ordered), "page": page, "pages": last + 1,
                "whole": whole}  # fmt: skip

    def compared(self, first: str, second: str) -> dict[str, Any]:
        """What is different in the later one of two runs."""
        before, after = sorted((self.run(first), self.run(second)), key=lambda run: run.summary.began)
        told = compare(before, after)
        different = [asdict(one) for one in told.differences]
        return {"before": _row(before), "after": _row(after), "equal": told.equal_values, "differences": different}

    def plotted(self, metric: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a metric over the runs that have it and are asked for, the oldest first."""
        found, _ = self._read(asked, soon=False)
        points = [
            {"at": run.summary.began, "value": run.metrics[metric], "id": run.id, "status": run.status}
            for run in reversed(found) if metric in run.metrics
        ]  # fmt: skip
        return {"metric": metric, "points": points}

    def run(self, key: str) -> Run:
        """The run that has this key."""
        return next(run for run in self._all() if run.summary.key == key)

    def _all(self) -> Iterator[Run]:
        return newest_first(self._name, settings=self._settings)

    def _read(self, asked: Mapping[str, Any], *, soon: bool) -> tuple[Sequence[Run], bool]:
        """The runs that are asked for, and whether all have been read: if `soon`, only as many as that allows."""
        with nullcontext() if soon else self._turn:
            return self._matching(asked, soon=soon)

    def _matching(self, asked: Mapping[str, Any], *, soon: bool) -> tuple[Sequence[Run], bool]:
        text, status = str(asked.get("text") or "").lower(), str(asked.get("status") or "")
        found: list[Run] = []
        due = 0.0
        for run in self._all():
            due = due or self._clock() + _SOON  # by now, what is kept of runs has been read
            if soon and self._clock() >= due:
                return found, False
            if (not status or run.status == status) and (not text or text in _text(run)):
                found.append(run)
        return found, True


def _text(run: Run) -> str:
    facts = [run.id, run.name, run.status, run.summary.kind, run.summary.error, run.summary.failed_step]
    return " ".join([*facts, json.dumps(dict(run.params), default=str)]).lower()


def _names(found: Sequence[Run]) -> dict[str, list[str]]:
    """The parameters that are not the same in all runs, and the metrics; those of most runs first."""
    params: dict[str, set[str]] = {}
    metrics: dict[str, int] = {}
    for run in found:
        for name, value in run.params.items():
            params.setdefault(name, set()).add(written(value))
        for name in run.metrics:
            metrics[name] = metrics.get(name, 0) + 1
    varying = [name for name, values in params.items() if len(values) > 1] or list(params)
    return {"params": varying[:8], "metrics": sorted(metrics, key=lambda name: -metrics[name])[:8]}


def _sortable(run: Run, column: str) -> tuple[int, Any]:
    """Numbers before texts, and what is missing before both, so that any two can be compared."""
    kind, _, name = column.partition(":")
    value: Any = {"params": run.params, "metrics": run.metrics}[kind].get(name) if name else {
        "began": run.summary.began, "status": run.status, "kind": run.summary.kind, "seconds": run.seconds,
    }.get(column)  # fmt: skip
    if value is None:
        return 0, 0
    return (1, value) if isinstance(value, int | float) else (2, written(value))


def _row(run: Run) -> dict[str, Any]:
    return {
        "key": run.summary.key, "id": run.id, "name": run.name, "kind": run.summary.kind, "status": run.status,
        "began": f"{datetime.fromtimestamp(run.summary.began, UTC):%Y-%m-%d %H:%M:%S}", "seconds": run.seconds,
        "params": {name: written(value)[:80] for name, value in run.params.items()}, "metrics": dict(run.metrics),
        "error": run.summary.error, "failed_step": run.summary.failed_step,
    }  # fmt: skip


def name_of(path: Path | None) -> str | None:
    """The name by which a notebook's runs go."""
    return path.stem if path is not None else None
