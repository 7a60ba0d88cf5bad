"""The runner: a pipeline's steps in order, each through `run_step`, their bodies in this process or on a cluster."""

from __future__ import annotations

import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Protocol

from p2p.cache import Reuse, check_target, code_of_function
from p2p.cache.views import copies
from p2p.errors import RunFailed
from p2p.execution import (
    Namespace,
    Services,
    Tally,
    Work,
    arun_step,
    fallback_result,
    mapped_code,
    run_step,
    use_services,
)
from p2p.execution.preferences import preferences_kept
from p2p.model import ValueRef
from p2p.outcome import RunOutcome, outcome_of
from p2p.params import Values
from p2p.pipeline import Pipeline, Task
from p2p.runners.beside import run_beside
from p2p.runners.calling import called, given, mapped
from p2p.runners.order import runs_alone, waits
from p2p.runners.remote import RemoteEngine, libraries
from p2p.runners.surroundings import no_quiet_exit, no_windows
from p2p.secrets import Masker, environment_secrets
from p2p.session.script import driven
from p2p.settings import Settings
from p2p.steps import Step
from p2p.store import DiskStore
from p2p.tracking import Driver, RunFacts, facts, guard
from p2p.tracking.driver import Watcher
from p2p.tracking.processes import taking_along
from p2p.tracking.records import read_record

LOCAL = "local"
ISOLATED = "isolated"


def run_pipeline(
    pipeline: Pipeline,
    values: Values,
    settings: Settings,
    *,
    notebook_digest: str = "",
    watch: Watcher | None = None,
    tags: Mapping[str, str] | None = None,
    reuse: Reuse | None = None,
    engine: str = LOCAL,
    jobs: int = 1,
    later: ExitStack | None = None,
) -> RunOutcome:
    """Run `pipeline` on checked parameters as one tracked run.

    Args:
        pipeline: the pipeline.
        values: its parameters.
        settings: the project's.
        notebook_digest: of the notebook that it was exported from.
        watch: called with each event.
        tags: further tags of the run.
        reuse: earlier results that it may use; those of equal steps, when not given.
        engine: where the steps' functions run: `local`, `isolated` (here, each with copies of what it takes), `dask`
            (workers of its own on this machine), or the address of a Dask scheduler. On Dask only results of the run
            that is resumed are used: nobody here sees what a step depends on.
        jobs: how many steps run at once, at most. Where there are several, they run in worker processes, as on Dask.
        later: takes the waiting until MLflow knows all of the run; when not given, the outcome comes after that.

    Returns:
        The outcome; FAILED when a step raised. An interrupt is passed on after the run was ended as KILLED, and what it
        had started with it.
    """
    began = time.monotonic()
    reuse = reuse or Reuse()
    reuse = reuse if engine in (LOCAL, ISOLATED) and jobs == 1 else replace(reuse, cache=False)
    check_target(reuse, "module", pipeline.name)
    facts_of_run = facts_of(pipeline, values, facts.surroundings(settings.root), notebook_digest, tags or {}, reuse)
    masker = Masker([*values.secret_texts(), *environment_secrets(os.environ)])
    driver = Driver(settings, facts_of_run, watch=watch, mask=masker.event, later=later)
    with engine_named(engine, pipeline, jobs) as made_for:
        driver.open()
        if engine not in (LOCAL, ISOLATED) or jobs > 1 or _ask_for_the_run(pipeline):
            driver.connect()
        try:
            with no_windows(), no_quiet_exit(), driven(driver, reuse, masker) as services, taking_along():
                run_tasks(pipeline, values.typed, services, made_for(driver), jobs=jobs)
        except StepFailed:
            pass  # the run has been ended as FAILED, with this error and its step
    record = read_record(driver.directory)
    target = f"{pipeline.name}@{pipeline.version}"
    outcome = outcome_of(record, DiskStore(settings.values), target=target, seconds=time.monotonic() - began)
    return replace(outcome, outputs=masker.data(outcome.outputs))


def _ask_for_the_run(pipeline: Pipeline) -> bool:
    """Whether the code of the steps may ask for MLflow's run; otherwise nothing waits until MLflow has made it."""
    own = {inspect.unwrap(task.function).__module__ for task in pipeline.tasks}
    beside = tuple(f"{name.rpartition('.')[0]}." for name in own if "." in name)  # modules that a version holds
    names = [name for name in [*sys.modules] if name in own or (beside and name.startswith(beside))]
    try:
        return any(guard.asks(inspect.getsource(sys.modules[name])) for name in names)
    except (OSError, TypeError):  # it is nowhere to be read
        return True


class StepFailed(RunFailed):
    """A step of a pipeline raised; `p2p_step` names it."""

    def __init__(self, step: str, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}: {error}", fields={"step": step})
        self.p2p_step = step


class Engine(Protocol):
    """Where the functions of tasks are called."""

    def call(self, task: Task, values: Mapping[str, Any]) -> Any:
        """What the task gives for these values, by name, or an awaitable of it."""
        ...

    def map(self, task: Task, values: Mapping[str, Any], tally: Tally) -> Any:
        """What a mapped task gives for these values, by name; `tally` is told what becomes of its items."""
        ...


class Here:
    """The engine of this process."""

    def call(self, task: Task, values: Mapping[str, Any]) -> Any:
        """Call the function."""
        return called(task, values)

    def map(self, task: Task, values: Mapping[str, Any], tally: Tally) -> Any:
        """Call the function with one item after another."""
        return mapped(task, values, tally)


class Isolated(Here):
    """The engine of this process in which each step has copies of what it takes, as it would have on a worker."""

    def call(self, task: Task, values: Mapping[str, Any]) -> Any:
        """Call the function with copies, which share objects and memory with each other as the values do."""
        return called(task, copies({name: values[name] for name in task.takes}))

    def map(self, task: Task, values: Mapping[str, Any], tally: Tally) -> Any:
        """Call the function with copies of the items."""
        return mapped(task, copies({name: values[name] for name in task.takes}), tally)


@contextmanager
def engine_named(name: str, pipeline: Pipeline, jobs: int = 1) -> Iterator[Callable[[Driver], Engine]]:
    """What makes the engine that `--engine` names, for a run; its workers last as long as the block.

    Raises:
        InputRefused: it is not there, or its workers cannot do the work.
    """
    if name == LOCAL and jobs > 1:
        from p2p.runners.processes import ProcessEngine, processes

        with processes(jobs) as slots:
            yield lambda driver: ProcessEngine(slots, driver.own_run())
        return
    if name in (LOCAL, ISOLATED):
        yield lambda _driver: Here() if name == LOCAL else Isolated()
        return
    from p2p.runners import dask

    with dask.cluster(name, libraries(task.function for task in pipeline.tasks)) as client:
        yield lambda driver: dask.DaskEngine(client, driver.own_run(), own=name == dask.OWN)


def run_tasks(
    pipeline: Pipeline, params: Mapping[str, Any], services: Services, engine: Engine | None = None, *, jobs: int = 1
) -> Mapping[str, Any]:
    """Run the steps in order, or up to `jobs` at once; gives every value by name, loaded when it is asked for.

    What they set for the whole process ends with them.
    """
    engine = engine or Here()
    values = Namespace(params)
    known: dict[str, ValueRef] = {}
    if isinstance(engine, RemoteEngine) and jobs > 1:
        services = replace(services, directory=None, block=engine.turn.block)  # no step draws figures here
    with nested_steps(pipeline), preferences_kept(), use_services(services):
        if isinstance(engine, RemoteEngine) and jobs > 1:
            _run_beside(pipeline, values, known, services, engine, jobs)
        else:
            for task in pipeline.tasks:
                _run_task(task, values, known, pipeline, services, engine)
    return values


def _run_beside(
    pipeline: Pipeline, values: Namespace, known: dict[str, ValueRef], services: Services, engine: RemoteEngine,
    jobs: int,
) -> None:  # fmt: skip
    tasks = pipeline.tasks
    alone = {task.step for task in tasks if runs_alone(task)}
    engine.alone = lambda task: task.step in alone

    def run(number: int) -> None:
        with engine.turn.taken():
            engine.turn.check()
            _run_task(tasks[number], values, known, pipeline, services, engine)

    run_beside(waits(tasks), run, jobs=jobs, end=engine.turn.end)


def _run_task(
    task: Task, values: Namespace, known: dict[str, ValueRef], pipeline: Pipeline, services: Services, engine: Engine
) -> None:  # fmt: skip
    """Run one step; `values` and `known` take what it gives."""
    work = task_work(task, values, known, pipeline.contracts, engine)
    try:
        if work.coroutine:
            import asyncio

            outcome = asyncio.run(arun_step(work, services))
        else:
            outcome = run_step(work, services)
    except (Exception, SystemExit) as error:  # `sys.exit(0)` in a step: the steps after it have not run
        raise StepFailed(task.step, error) from error
    values.take(outcome.outputs)
    if outcome.changed:  # any other value may have been changed through that one
        known.clear()
    known.update({**outcome.refs, **outcome.changed})


def task_work(
    task: Task, values: Namespace, known: Mapping[str, ValueRef], contracts: Mapping[str, Any], engine: Engine
) -> Work:
    """One task as work for `run_step`; `values` takes what stands in for a value that a failed attempt has changed."""

    def fallback() -> Any:
        return given(task, fallback_result(task.policy.fallback, _by_parameter(task, values)), values)

    inputs = values.only(task.takes)
    coroutine = isinstance(engine, Here) and inspect.iscoroutinefunction(inspect.unwrap(task.function))
    work = Work(
        name=task.step, body=lambda: engine.call(task, values), inputs=inputs,
        known={name: known[name] for name in inputs if name in known}, policy=task.policy,
        contracts=contracts, reset=values.update, fallback=fallback if task.policy.has_fallback else None,
        coroutine=coroutine, code=lambda: code_of_function(task.function),
        restored=lambda found: values.take(found.others),
        anew=_anew(task, inputs, contracts, engine) if isinstance(engine, Here) and not coroutine else None,
        attributes={"function": task.function.__qualname__},
    )  # fmt: skip
    return mapped_work(work, task, values, engine) if task.over else work


def _anew(task: Task, inputs: Namespace, contracts: Mapping[str, Any], engine: Engine) -> Callable[[], Work]:
    """What gives the task as work that has to run, with these inputs, whatever their names stand for by then."""
    return lambda: replace(task_work(task, inputs, {}, contracts, engine), restored=None)


def mapped_work(work: Work, task: Task, values: Mapping[str, Any], engine: Engine) -> Work:
    """The work of a task that is mapped: its policy is that of each item."""
    tally = Tally(task.step)
    return replace(
        work, body=lambda: engine.map(task, values, tally), policy=task.policy.of_the_whole(), fallback=None,
        code=lambda: mapped_code(code_of_function(task.function)), tells=tally.facts,
        attributes={**work.attributes, "mapped": True},
    )  # fmt: skip


def _by_parameter(task: Task, values: Mapping[str, Any]) -> dict[str, Any]:
    """The task's inputs by the names of its function's parameters."""
    args, kwargs = task.arguments(values)
    return dict(inspect.signature(task.function).bind(*args, **kwargs).arguments)


class nested_steps:  # noqa: N801  # used like a function: `with nested_steps(pipeline):`
    """In the block, the pipeline's nested functions are steps, so that they show in the trace as in the notebook."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._functions = pipeline.nested

    def __enter__(self) -> None:
        for function, policy in self._functions.items():
            setattr(sys.modules[function.__module__], function.__name__, Step(function, policy))

    def __exit__(self, *_error: object) -> None:
        for function in self._functions:
            setattr(sys.modules[function.__module__], function.__name__, function)


def facts_of(
    pipeline: Pipeline,
    values: Values,
    around: facts.Surroundings,
    notebook_digest: str,
    tags: Mapping[str, str],
    reuse: Reuse,
) -> RunFacts:
    """What is known of a run of `pipeline` when it opens."""
    return RunFacts(
        name=pipeline.name, run_kind="module", source=f"pipelines/{pipeline.name}/v{pipeline.version}",
        version=pipeline.version, notebook_digest=notebook_digest, params=values.plain(),
        git_commit=around.git_commit, python=around.python, packages=around.packages, tags=tags,
        overridden=values.overridden, resumed_from=reuse.resumed_from, first_run=reuse.first_run,
    )  # fmt: skip
