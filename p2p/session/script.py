"""A run around ordinary Python: `with p2p.run("nightly"): ...`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from p2p.cache import KeptInputs, Reuse
from p2p.execution import Services, by_step, use_services
from p2p.files import write_atomic
from p2p.model import RunStatus
from p2p.secrets import Masker, environment_secrets
from p2p.settings import load_settings
from p2p.store import DiskStore
from p2p.tracking import Driver, RunFacts, facts, guard
from p2p.tracking.moment import Moments
from p2p.tracking.records import failed_step

SOURCE = "script.py"  # in a run's directory: the script that made the run


@contextmanager
def run(name: str, params: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Track the steps that are called in the block as one run; gives its MLflow run id.

    Args:
        name: the run's name, and its experiment's unless `MLFLOW_EXPERIMENT_NAME` is set.
        params: plain data to record as the run's parameters.

    The run is FINISHED when the block ends, FAILED when it raises, KILLED when it is interrupted.
    """
    settings = load_settings()
    caller = inspect.stack()[2].filename
    run_facts = RunFacts(
        name=name, run_kind="script", source=facts.relative(Path(caller), settings.root), params=dict(params or {}),
        git_commit=facts.git_commit(settings.root), python=facts.python_version(), packages=facts.package_versions(),
    )  # fmt: skip
    driver = Driver(settings, run_facts, mask=Masker(environment_secrets(os.environ)).event)
    driver.open()
    _keep_source(Path(caller), driver.directory)
    driver.connect()
    with driven(driver):
        yield driver.run_id


@contextmanager
def driven(driver: Driver, reuse: Reuse | None = None, masker: Masker | None = None) -> Iterator[Services]:
    """Run the block as the work of `driver`'s open run in this process, and end the run as the block ends.

    Args:
        driver: the run's.
        reuse: earlier results that it may use; none when not given.
        masker: takes secrets out of what is kept of its results.
    """
    masker = masker or Masker(environment_secrets(os.environ))
    values = DiskStore(driver.settings.values, inline=masker.leaves)
    memory = KeptInputs(values) if reuse is None else reuse.memory(values, driver.journal, driver.directory, masker)
    services = Services(
        events=driver.journal, values=values, memory=memory, directory=driver.directory,
        run=driver.facts.first_run or driver.key, moments=Moments(driver.directory, mask=masker.event),
    )  # fmt: skip
    guard.attach(driver.own_run(by_step(driver.journal.append)))
    try:
        with use_services(services):
            yield services
    except BaseException as error:
        guard.detach()
        status = RunStatus.FAILED if isinstance(error, Exception) else RunStatus.KILLED
        driver.end(status, error=f"{type(error).__name__}: {error}", failed_step=_failed(error, driver.directory))
        raise
    guard.detach()
    driver.end(RunStatus.FINISHED)


def _keep_source(script: Path, directory: Path) -> None:
    """Keep the script as it is now with the run; secrets of the environment are masked. None is kept of a console."""
    if script.suffix == ".py" and script.is_file():
        text = script.read_bytes().decode("utf-8", "surrogateescape")
        masked = Masker(environment_secrets(os.environ)).text(text)
        write_atomic(directory / SOURCE, masked.encode("utf-8", "surrogateescape"))


def _failed(error: BaseException, directory: Path) -> str:
    """The step that failed: the one that the error names; beside it, others may have been ended for its sake."""
    return str(getattr(error, "p2p_step", "")) or failed_step(directory)


__all__ = ["SOURCE", "driven", "run"]
