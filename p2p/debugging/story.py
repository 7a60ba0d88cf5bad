"""Debug, told in one place: a step of a past run becomes a notebook that opens where it failed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from p2p.debugging.case import Case, find_case, last_good_run
from p2p.debugging.cells import notebook_scene
from p2p.debugging.modules import module_scene
from p2p.debugging.scene import Scene
from p2p.debugging.scripts import script_scene
from p2p.debugging.telling import head
from p2p.debugging.writing import document, place, write
from p2p.drift.hand import open_version
from p2p.errors import P2PError
from p2p.history import Run
from p2p.settings import Settings


@dataclass(frozen=True)
class Debugged:
    """A notebook that was written for a step.

    Attributes:
        path: its file.
        case: the step.
        good: the run that it was compared with; None where there is none.
        notes: what there is to say about how near its code is to what ran.
    """

    path: Path
    case: Case
    good: Run | None
    notes: tuple[str, ...] = ()


def debug(run: str, settings: Settings, *, step: str = "", output: Path | None = None) -> Debugged:
    """Write a notebook that opens at a step of a past run, with its inputs as they were. Nothing is run.

    Args:
        run: an MLflow run id, a run's key, or the beginning of either.
        settings: of the project.
        step: which step; the one that failed when not given.
        output: the notebook's file; one in `debug/` when not given. A file that is there stays.

    Raises:
        TargetError: there is no such run or step, or its code is gone.
        InputRefused: no step has failed, or the run has no steps that can be opened.
    """
    case = find_case(run, step, settings)
    path = place(case, settings, output)
    scene = scene_of(case, settings)
    good = last_good_run(case, settings, _proof(case, settings))
    written = write(document(case, scene, head(case, scene, good)), path)
    return Debugged(written, case, good, scene.notes)


def scene_of(case: Case, settings: Settings) -> Scene:
    """What the step is made of. Raises TargetError where its code is gone."""
    if case.kind == "module":
        return module_scene(case, settings)
    if case.kind == "script" or case.module:
        return script_scene(case, settings)
    return notebook_scene(case, settings)


def way_in(run: str, settings: Settings, *, step: str = "") -> str:
    """The command line that opens a step of a run, the failed one when none is named; empty where it would be refused.

    Args:
        run: as for `debug`.
        settings: of the project.
        step: as for `debug`.
    """
    try:
        case = find_case(run, step, settings)
        scene_of(case, settings)
    except (P2PError, OSError, ValueError):  # a journal, a notebook or a version that is damaged or gone
        return ""
    return shlex.join(["p2p", "debug", case.run.id, "--step", case.step.name])


def _proof(case: Case, settings: Settings) -> str:
    """MLflow's id of the run that proved the version which ran; empty for a notebook's run."""
    if case.kind != "module":
        return ""
    return open_version(case.name, int(case.facts["version"]), settings).manifest.verified_run
