"""How every notebook and pipeline of a project stands: its versions, its last good run, and what has drifted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from p2p.drift.goodruns import GoodRun, last_good_run
from p2p.drift.hand import Version, few, open_version
from p2p.errors import InputRefused, TargetError
from p2p.export.packages import promoted_version
from p2p.manifest import Manifest, versions
from p2p.notebook import read_notebook
from p2p.notebook.texts import TEXTS, counts_as_notebook, is_text
from p2p.settings import Settings
from p2p.tracking.facts import package_versions, python_version
from p2p.upkeep import PastRuns

OLD = 30 * 86_400.0
_DAY = 86_400.0


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it was: `notebook`, `module`, `environment` or `run`, and in words."""

    kind: str
    what: str


@dataclass(frozen=True)
class Standing:
    """How one notebook or pipeline stands.

    Attributes:
        kind: `notebook` or `pipeline`.
        name: the notebook's path in the project, or the pipeline's name.
        pipelines: the pipelines that were made of a notebook; the pipeline itself.
        newest: number of the newest version, that of the first of the pipelines; None where there is none.
        promoted: number of the version that production runs; None where none is named.
        run: the last good run; None where there is none.
    """

    kind: str
    name: str
    pipelines: tuple[str, ...] = ()
    newest: int | None = None
    promoted: int | None = None
    run: GoodRun | None = None
    drift: tuple[Drift, ...] = ()


def standing(
    settings: Settings,
    *,
    old: float = OLD,
    clock: Callable[[], float] = time.time,
    installed: Mapping[str, str] | None = None,
) -> list[Standing]:
    """Every notebook, each followed by the pipelines made of it, and then the other pipelines.

    Args:
        settings: of the project.
        old: seconds after which the last good run counts as old.
        clock: gives the seconds since the epoch.
        installed: versions of packages by name, and of `python`; this environment's when not given.
    """
    around = installed or {**package_versions(), "python": python_version()}
    look = _Look(settings, PastRuns(settings), {_canonical(n): v for n, v in around.items()}, clock(), old)
    made: dict[str, list[Version]] = {}
    damaged: list[Standing] = []
    for name, number in _newest_versions(settings):
        try:
            version = open_version(name, number, settings)
        except TargetError as error:
            told = Drift("module", f"v{number} cannot be read: {error.message}")
            damaged.append(Standing("pipeline", name, (name,), number, look.promoted(name), None, (told,)))
            continue
        made.setdefault(version.manifest.notebook, []).append(version)
    rows: list[Standing] = []
    for path in _notebooks(settings):
        rows += look.notebook(path, made.get(path, ()))
        rows += map(look.pipeline, made.pop(path, ()))
    return [*rows, *(look.pipeline(version) for others in made.values() for version in others), *damaged]


def _notebooks(settings: Settings) -> list[str]:
    paths = sorted(path for path in (settings.root / "notebooks").rglob("*") if path.suffix in (".ipynb", *TEXTS))
    shown = [(path, path.relative_to(settings.root)) for path in paths]
    seen = [(path, name) for path, name in shown if not any(part.startswith(".") for part in name.parts)]
    return [name.as_posix() for path, name in seen if not is_text(path) or counts_as_notebook(path)]


def _newest_versions(settings: Settings) -> Iterator[tuple[str, int]]:
    for home in sorted(settings.pipelines.glob("*")):
        if known := versions(home):
            yield home.name, known[-1]


@dataclass(frozen=True)
class _Look:
    """Looks at one notebook or pipeline after the other."""

    settings: Settings
    runs: PastRuns
    installed: Mapping[str, str]
    now: float
    old: float

    def notebook(self, path: str, made: Sequence[Version]) -> Iterator[Standing]:
        run = last_good_run(self.runs, run_kind="notebook", source=path)
        drift = [*_notebook_drift(self.settings.root, path, made), *self._run_drift(run)]
        names = tuple(version.manifest.pipeline for version in made)
        first = made[0] if made else None
        newest = first.manifest.version if first else None
        promoted = self.promoted(names[0]) if names else None
        yield Standing("notebook", path, names, newest, promoted, run, tuple(drift))

    def pipeline(self, newest: Version) -> Standing:
        name, number = newest.manifest.pipeline, newest.manifest.version
        promoted = self.promoted(name)
        used, damaged = [newest], []
        try:
            used += self._other(name, promoted, number)
        except TargetError as error:
            damaged.append(Drift("module", f"v{promoted}, which is promoted, cannot be read: {error.message}"))
        verified = [version.manifest.verified_run for version in used]
        run = last_good_run(self.runs, verified, run_kind="module", name=name)
        drift = [
            *_missing_notebook(newest.manifest, self.settings),
            *(drift for version in used for drift in (*_by_hand(version), *self._environment(version))),
            *damaged,
            *self._run_drift(run),
        ]
        return Standing("pipeline", name, (name,), number, promoted, run, tuple(drift))

    def promoted(self, name: str) -> int | None:
        """The version that is promoted; None for none."""
        try:
            return promoted_version(self.settings.pipelines, name)
        except TargetError:
            return None

    def _other(self, name: str, promoted: int | None, newest: int) -> Iterator[Version]:
        """The promoted version, where it is there and not the newest."""
        if promoted not in (None, newest) and promoted in versions(self.settings.pipelines / name):
            yield open_version(name, promoted, self.settings)

    def _environment(self, version: Version) -> Iterator[Drift]:
        wanted = {**version.manifest.environment}
        wanted |= wanted.pop("packages", {})
        wanted.pop("processor", None)  # results may be others in their last digits: the tests tell
        found = [
            f"{name} {was} → {now or 'not installed'}"
            for name, was in wanted.items() if (now := self.installed.get(_canonical(name), "")) != was
        ]  # fmt: skip
        if found:
            made = f"v{version.manifest.version} was made with"
            yield Drift("environment", f"other packages than {made}: {few(found)}")

    def _run_drift(self, run: GoodRun | None) -> Iterator[Drift]:
        if run is None:
            yield Drift("run", "no good run yet")
        elif self.now - run.at > self.old:
            yield Drift("run", f"the last good run is {(self.now - run.at) / _DAY:.0f} days old")


def _notebook_drift(root: Path, path: str, made: Iterable[Version]) -> Iterator[Drift]:
    try:
        digest = read_notebook(root / path).digest
    except InputRefused as error:
        yield Drift("notebook", str(error))
        return
    for version in made:
        if version.manifest.notebook_digest != digest:
            yield Drift("notebook", f"changed since {version.title}")
        changed = [facts["file"] for facts in version.manifest.modules.values() if not _is_as_it_was(root, facts)]
        if changed:
            yield Drift("notebook", f"imports what changed since {version.title}: {few(changed)}")


def _is_as_it_was(root: Path, module: Mapping[str, str]) -> bool:
    """Whether a file of the author's own, which was copied into a version, has the same bytes."""
    try:
        return bool(blake3((root / module["file"]).read_bytes()).hexdigest() == module["digest"])
    except OSError:
        return False


def _missing_notebook(manifest: Manifest, settings: Settings) -> Iterator[Drift]:
    if not (settings.root / manifest.notebook).is_file():
        yield Drift("notebook", f"'{manifest.notebook}' is not there")


def _by_hand(version: Version) -> Iterator[Drift]:
    if version.changed:
        yield Drift("module", f"v{version.manifest.version} was edited by hand: {few(version.changed)}")


def _canonical(name: str) -> str:
    """A distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
