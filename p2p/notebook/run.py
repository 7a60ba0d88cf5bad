"""Running a notebook: parameters checked, one run opened, papermill at work, the run ended as it truly went."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from p2p.cache import Reuse, check_target
from p2p.files import write_atomic
from p2p.model import RunStatus
from p2p.notebook.carried import carry_outputs
from p2p.notebook.destination import check_output
from p2p.notebook.document import Notebook, parameters_of, read_notebook
from p2p.notebook.kernelplan import KernelPlan
from p2p.notebook.loading import load_to_run
from p2p.notebook.page import PageMaker
from p2p.outcome import RunOutcome, outcome_of
from p2p.params import Values
from p2p.secrets import Masker, environment_secrets
from p2p.session import Attachment
from p2p.session.attached import check_secrets
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.tracking import Driver, RunFacts, facts
from p2p.tracking.driver import PartOf, Watcher
from p2p.tracking.journal import read_events
from p2p.tracking.records import failed_step, read_record, why_killed

if TYPE_CHECKING:
    from p2p.kernels.provisioner import Kernels


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run a notebook.

    Attributes:
        output: where to put a copy of the executed notebook.
        directory: the kernel's working directory; the notebook's own when not given, as in Jupyter.
        log: a stream for what the cells print.
        cell_timeout: seconds that one cell may take.
        html: keep the executed notebook as HTML too.
        kernel: the kernelspec; the default runs in the environment that p2p itself is in.
        tags: further tags of the run.
        reuse: earlier results that it may use.
        part_of: the sweep that the run is a part of.
        kernels: forks the kernel, where that can be; it is started when there is none.
    """

    output: Path | None = None
    directory: Path | None = None
    log: IO[str] | None = None
    cell_timeout: int | None = None
    html: bool = True
    kernel: str = "python3"
    tags: Mapping[str, str] = field(default_factory=dict)
    reuse: Reuse = field(default_factory=Reuse)
    part_of: PartOf | None = None
    kernels: Kernels | None = None


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is to be run: the notebook, as read and as papermill wants it, its parameters, and how."""

    notebook: Notebook
    document: Any
    values: Values
    options: RunOptions
    masker: Masker
    pages: PageMaker = field(default_factory=PageMaker)


@dataclass(frozen=True)
class _Failure:
    status: RunStatus
    error: str
    cell: int | None = None


def run_notebook(
    path: Path,
    settings: Settings,
    *,
    given: Mapping[str, Any] | None = None,
    text: Mapping[str, str] | None = None,
    options: RunOptions | None = None,
    watch: Watcher | None = None,
) -> RunOutcome:
    """Run the notebook at `path` as one tracked run.

    Args:
        path: the notebook.
        settings: the project's.
        given: parameters as plain typed values.
        text: parameters as the command line gives them.
        options: see RunOptions.
        watch: called with each event of the run, for progress.

    Returns:
        The outcome; its status is FINISHED only when every cell ran and succeeded.

    Raises:
        InputRefused: the notebook or a parameter was refused; nothing was started.
        KeyboardInterrupt: passed on after the run was ended as KILLED.
    """
    options = options or RunOptions()
    notebook = read_notebook(path)
    check_output(options.output, path)
    given, text = given or {}, text or {}
    check_target(options.reuse, "notebook", notebook.name)
    given = {**options.reuse.parameters({*given, *text}), **given}
    values = parameters_of(notebook).parse(given, text=text)
    began = time.monotonic()
    masker = Masker([*values.secret_texts(), *environment_secrets(os.environ)])
    asked = _Asked(notebook=notebook, document=load_to_run(path), values=values, options=options, masker=masker)
    check_secrets(values.secrets(), values.secret_texts())
    driver = Driver(settings, _facts(asked, settings), watch=watch, mask=masker.event, part_of=options.part_of)
    driver.open()
    try:
        failure = _execute(asked, driver)
    except BaseException as error:
        driver.end(RunStatus.KILLED, **_in_flight(driver), error=f"{type(error).__name__}: {error}")
        raise
    executed = _keep_notebook(asked, driver)
    _end(driver, failure)
    record = read_record(driver.directory)
    store = DiskStore(settings.values)
    outcome = outcome_of(record, store, target=str(path), seconds=time.monotonic() - began, executed=executed)
    return replace(outcome, outputs=masker.data(outcome.outputs))


def _facts(asked: _Asked, settings: Settings) -> RunFacts:
    notebook, values, options = asked.notebook, asked.values, asked.options
    around = facts.surroundings(settings.root) if options.part_of is None else options.part_of.around
    return RunFacts(
        name=notebook.name, run_kind="notebook", source=facts.relative(notebook.path, settings.root),
        notebook_digest=notebook.digest, params=values.plain(), git_commit=around.git_commit,
        python=around.python, packages=around.packages, tags=options.tags,
        overridden=values.overridden, resumed_from=options.reuse.resumed_from, first_run=options.reuse.first_run,
    )  # fmt: skip


def _execute(asked: _Asked, driver: Driver) -> _Failure | None:
    """Start the kernel, and let papermill run the notebook in it; gives what went wrong, or None."""
    options = asked.options
    plan = KernelPlan(
        path=driver.directory / "notebook.ipynb", environment=_environment(asked, driver),
        directory=options.directory or asked.notebook.path.resolve().parent, events=driver.journal, managers=[],
        masker=asked.masker, output_limit=driver.settings.output_limit, kernels=options.kernels,
    )  # fmt: skip
    if options.kernels is not None:
        return _run_cells(asked, driver, plan)
    from p2p.notebook.early import early_kernel

    with early_kernel(options.kernel, plan.environment, plan.directory, plan.masker) as early:
        return _run_cells(asked, driver, replace(plan, early=early))


def _run_cells(asked: _Asked, driver: Driver, plan: KernelPlan) -> _Failure | None:
    """Let papermill run the cells; gives what went wrong, or None."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    options = asked.options
    if options.html:  # this process has little else to do while the kernel starts
        asked.pages.begin(asked.document)
    # papermill's inspector does not know every annotation, and would warn of parameters that p2p has checked.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        # The notebook goes in as a node and comes out through the plan: papermill would treat paths as templates.
        papermill.execute_notebook(
            asked.document, None, parameters=asked.values.literals(), engine_name="p2p", kernel_name=options.kernel,
            language="python", progress_bar=False, stdout_file=options.log, stderr_file=options.log,
            execution_timeout=options.cell_timeout, plan=plan,
        )  # fmt: skip
    except PapermillExecutionError as error:
        return _Failure(RunStatus.FAILED, f"{error.ename}: {error.evalue}", _running_cell(driver))
    except DeadKernelError:
        return _Failure(RunStatus.FAILED, _why_it_died(driver), _running_cell(driver))
    except CellTimeoutError:
        return _Failure(RunStatus.FAILED, f"the cell took longer than {options.cell_timeout} s", _running_cell(driver))
    return _unfinished(plan.managers[-1], driver)


def _environment(asked: _Asked, driver: Driver) -> dict[str, str]:
    values, options = asked.values, asked.options
    attachment = Attachment(
        directory=str(driver.directory), run_id=driver.run_id, experiment=driver.experiment,
        tracking_uri=driver.settings.tracking_uri, root=str(driver.settings.root),
        lease=str(driver.settings.lease(driver.key)), resumes=options.reuse.directory,
        first_run=options.reuse.first_run, cache=options.reuse.cache,
        turns=options.part_of is not None and options.part_of.side_by_side,
        notebook=str(asked.notebook.path.resolve()), given=values.literals(), convert=bool(values.converted()),
    )  # fmt: skip
    return {**os.environ, **attachment.environment(values.secrets(), values.secret_texts())}


def _why_it_died(driver: Driver) -> str:
    """The sidecar kills a kernel whose step does not stop when its time is over; any other death is its own."""
    return why_killed(driver.directory) or "the kernel died"


def _running_cell(driver: Driver) -> int | None:
    """The number of the cell that ran last, which is the one that failed."""
    cells = [e["cell"] for e in read_events(driver.directory) if e["kind"] == "cell_started"]
    return cells[-1] if cells else None


def _unfinished(manager: Any, driver: Driver) -> _Failure | None:
    """Papermill ends without an error when a cell calls `sys.exit(0)`; the cells after it never ran."""
    missing = manager.not_run()
    if not missing:
        return None
    return _Failure(
        RunStatus.FAILED, f"the notebook ended early: {len(missing)} cells did not complete", _running_cell(driver)
    )


def _in_flight(driver: Driver) -> dict[str, Any]:
    """The step and cell that were at work when the run was stopped."""
    facts_now: dict[str, Any] = {"failed_step": failed_step(driver.directory), "failed_cell": _running_cell(driver)}
    return {k: v for k, v in facts_now.items() if v}


def _keep_notebook(asked: _Asked, driver: Driver) -> Path:
    """Put the executed notebook where it was asked for, and with its HTML among the run's artifacts."""
    notebook, options = asked.notebook, asked.options
    executed = driver.directory / "notebook.ipynb"
    named = driver.directory / f"{notebook.name}.ipynb"
    executed.replace(named)
    carry_outputs(named, driver.settings.runs, driver.directory, notebook.name)
    driver.journal.append("artifact", path=named.name, folder="notebook")
    if options.html:
        page = named.with_suffix(".html")
        write_atomic(page, asked.pages.page(named))
        driver.journal.append("artifact", path=page.name, folder="notebook")
    if options.output is not None:
        write_atomic(options.output, named.read_bytes())
        return options.output
    return named


def _end(driver: Driver, failure: _Failure | None) -> None:
    if failure is None:
        driver.end(RunStatus.FINISHED)
        return
    where: dict[str, Any] = {"failed_step": failed_step(driver.directory), "failed_cell": failure.cell}
    driver.end(failure.status, error=failure.error[:2000], **{k: v for k, v in where.items() if v})
