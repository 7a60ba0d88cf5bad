"""Plain `papermill --engine p2p in.ipynb out.ipynb`: the engine is the run's driver itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from p2p.model import RunStatus
from p2p.notebook.kernelplan import KernelPlan
from p2p.notebook.manager import TruthfulManager
from p2p.notebook.steplog import StepLog
from p2p.secrets import Masker, environment_secrets
from p2p.session import Attachment
from p2p.settings import load_settings
from p2p.tracking import Driver, RunFacts, facts


def execute_standalone(engine: Any, nb: Any, kernel_name: str, output_path: str | None, options: dict[str, Any]) -> Any:
    """Run the notebook as a run of its own. papermill has put the parameters in, so they are taken from its record."""
    settings = load_settings()
    record = nb.metadata.get("papermill", {})
    source = Path(options.get("input_path") or record.get("input_path") or "notebook")
    params = dict(record.get("parameters", {}))
    masker = Masker(environment_secrets(os.environ))
    managers: list[TruthfulManager] = []
    driver = Driver(settings, RunFacts(
        name=source.stem, run_kind="notebook", source=facts.relative(source, settings.root), params=params,
        git_commit=facts.git_commit(settings.root), python=facts.python_version(), packages=facts.package_versions(),
    ), mask=masker.event, watch=StepLog(managers))  # fmt: skip
    driver.open()
    driver.connect()
    attachment = Attachment(
        directory=str(driver.directory), run_id=driver.run_id, experiment=driver.experiment,
        tracking_uri=settings.tracking_uri, root=str(settings.root),
        lease=str(settings.lease(driver.key)), notebook=str(source.resolve()), given=params,
    )  # fmt: skip
    path = Path(output_path) if output_path else driver.directory / source.name
    environment = {**os.environ, **attachment.environment({})}
    plan = KernelPlan(path, environment, Path.cwd(), driver.journal, managers, masker, settings.output_limit)
    try:
        executed = engine.execute_planned(nb, kernel_name, plan, options)
    except BaseException as error:
        driver.end(RunStatus.FAILED if isinstance(error, Exception) else RunStatus.KILLED, error=str(error))
        raise
    complete = not plan.managers[-1].not_run()
    driver.end(RunStatus.FINISHED if complete else RunStatus.FAILED)
    return executed
