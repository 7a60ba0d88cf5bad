"""`p2p.runs`: the runs of this project, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import overload

from p2p import markup
from p2p.errors import TargetError
from p2p.history.run import Run
from p2p.history.summaries import Summaries
from p2p.settings import Settings, load_settings

_SHOWN = 20


class Runs(Sequence[Run]):
    """Runs, the newest first; `runs[0]` is the last one, `runs.find("3f2a")` the one whose id begins so."""

    def __init__(self, found: Sequence[Run], what: str) -> None:
        self._found = found
        self._what = what

    def find(self, beginning: str) -> Run:
        """The run whose MLflow id or key begins so.

        Raises:
            TargetError: there is none, or there are several.
        """
        found = [run for run in self if (beginning and run.id.startswith(beginning)) or run.summary.key == beginning]
        if len(found) == 1:
            return found[0]
        problem = "No run" if not found else f"{len(found)} runs"
        raise TargetError(f"{problem} of {self._what} begins with '{beginning}'.", cure="Give more of its id.")

    @overload
    def __getitem__(self, at: int) -> Run: ...

    @overload
    def __getitem__(self, at: slice) -> Runs: ...

    def __getitem__(self, at: int | slice) -> Run | Runs:
        if isinstance(at, slice):
            return Runs(self._found[at], self._what)
        try:
            return self._found[at]
        except IndexError:
            raise IndexError(f"there are {len(self)} runs of {self._what}, and none at {at}") from None

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        lines = [f"{len(self)} run{'s' * (len(self) != 1)} of {self._what}", *map(repr, self[:_SHOWN])]
        return "\n".join([*lines, *(["..."] if len(self) > _SHOWN else [])])

    def _repr_html_(self) -> str:
        shown = self._found[:_SHOWN]
        names = list(dict.fromkeys(name for run in shown for name in run.metrics))[:6]
        varying = [name for name in _names(shown) if len({repr(run.params.get(name)) for run in shown}) > 1][:6]
        columns = ["run", "name", "status", "began (UTC)", "seconds", *varying, *names]
        rows = ([*_row(run), *(run.params.get(n, "") for n in varying), *(_figure(run, n) for n in names)]
                for run in shown)  # fmt: skip
        count = f"{len(self)} run{'s' * (len(self) != 1)}" + (f", the last {_SHOWN}" if len(self) > _SHOWN else "")
        return str(markup.joined([markup.title(f"Runs of {self._what}", count), markup.table(columns, rows)]))


def runs(name: str | None = None, *, kind: str | None = None, settings: Settings | None = None) -> Runs:
    """The runs of this project, the newest first.

    Args:
        name: the notebook's or pipeline's name; `name@3` for those of one version. All, when not given.
        kind: `interactive`, `notebook`, `module`, `script` or `sweep`. All but those that only tested an export or
            belong to a sweep, when not given.
        settings: of another project than the one around the working directory.

    Returns:
        A sequence of `Run`. Nothing but its line in the list is read of a run before it is asked for.
    """
    found = newest_first(name, kind=kind, settings=settings or load_settings())
    return Runs([*found], name or "this project")


def newest_first(name: str | None = None, *, kind: str | None = None, settings: Settings) -> Iterator[Run]:
    """As `runs`, but whoever stops early does not wait for the older ones: each is looked for when its turn comes."""
    base, _, version = (name or "").partition("@")
    facts = {key: value for key, value in {"name": base, "run_kind": kind}.items() if value}
    for summary in Summaries(settings).having(**facts):
        if (not version or str(summary.version) == version) and (kind is not None or not summary.parent):
            yield Run(summary, settings)


def _names(shown: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(name for run in shown for name in run.params))


def _row(run: Run) -> list[object]:
    began = f"{datetime.fromtimestamp(run.summary.began, UTC):%Y-%m-%d %H:%M:%S}"
    seconds = "" if run.seconds is None else f"{run.seconds:.3g}"
    return [run.id[:8], run.name, run.status, began, seconds]


def _figure(run: Run, name: str) -> str:
    return f"{run.metrics[name]:.6g}" if name in run.metrics else ""
