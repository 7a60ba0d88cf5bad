"""Runs an exported module as `p2p.runners.child` does, in the notebook's directory, and keeps what its steps gave."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from p2p.execution import Services, use_services
from p2p.params import ParameterSet
from p2p.runners.local import Here, Isolated, StepFailed, run_tasks
from p2p.runners.surroundings import no_quiet_exit, no_windows
from p2p.store import DiskStore
from p2p.tracking import Journal


def work(
    folder: str, directory: str, values: str, module: str, params: dict[str, Any], *, isolated: bool
) -> dict[str, Any]:  # fmt: skip
    """Run the pipeline.

    Args:
        folder: what holds the module's package; its journal goes there too.
        directory: the notebook's.
        values: the folder for its values.
        module: the module that has a `pipeline`.
        params: plain data.
        isolated: whether each step gets copies of what it takes.

    Returns:
        `failed`: the step that failed and its error.
    """
    os.chdir(directory)
    sys.path[:0] = [folder, directory]
    pipeline = importlib.import_module(module).pipeline
    typed = ParameterSet.of(pipeline.params).parse(params).typed
    journal = Journal(Path(folder) / "verified")
    services = Services(events=journal, values=DiskStore(Path(values)), directory=journal.directory, run="corpus")
    try:
        with no_windows(), no_quiet_exit(), use_services(services):
            run_tasks(pipeline, typed, services, Isolated() if isolated else Here())
    except StepFailed as error:
        return {"failed": [error.p2p_step, error.message]}
    return {"failed": None}
