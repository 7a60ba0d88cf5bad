"""Engines whose workers run the bodies of steps, while everything else stays in this process.

A step comes through `run_step` here as in the local runner, with policy, contracts and records; only the call of its
function is a worker's. So its result is recorded once, and a worker that dies is a failed attempt, which the policy may
try again. How workers are reached is each engine's own.
"""

from __future__ import annotations

import inspect
import signal
import sys
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

from p2p.analysis import is_library_path
from p2p.cache.views import dumped
from p2p.cache.watching import saw
from p2p.errors import RunFailed
from p2p.execution import Tally, current_services, generators
from p2p.execution.place import here
from p2p.execution.timeouts import OutOfTime
from p2p.pipeline import Task
from p2p.policy import Policy
from p2p.runners import worker
from p2p.runners.apart import Apart, refuse_hidden_changes
from p2p.runners.moving import Hearing
from p2p.runners.turns import Turn
from p2p.tracking.ownrun import OwnRun


def _always(_task: Task) -> bool:
    return True


class RemoteEngine(ABC):
    """Calls the functions of tasks on workers.

    Args:
        own_run: the run that user code logs to.

    Attributes:
        turn: whose turn it is in this process.
        alone: whether no other step is at work beside a task, so that it may draw from the global random generators.
    """

    def __init__(self, own_run: OwnRun) -> None:
        self.turn = Turn()
        self.alone: Callable[[Task], bool] = _always
        self._own_run = own_run
        self._hearing = Hearing()
        self._apart = Apart()

    @abstractmethod
    def _result(self, blob: bytes, attempt: str, step: str) -> bytes:
        """What `worker.execute` gives for these on some worker; what it sends meanwhile is heard."""

    @abstractmethod
    def _leave(self, attempts: Collection[str], *, goes_on: bool) -> None:
        """End attempts wherever they run: code that goes on would do its work beside the next attempt."""

    @abstractmethod
    def map(self, task: Task, values: Mapping[str, Any], tally: Tally) -> Any:
        """What a mapped task gives, by name."""

    def call(self, task: Task, values: Mapping[str, Any], tally: Tally | None = None) -> Any:
        """What the task's function gives, on a worker.

        Raises:
            WorkerLost: its worker, or all of them, were lost.
            RunFailed: it changes an input that others see, too, and so would not see changed.
        """
        self.turn.check()
        attempt = self._new_attempt()
        before = generators.states()
        try:
            answer = self._sent(task, values, attempt, before)
        except BaseException as error:
            self._given_up([attempt], error)
            raise
        for kind, data in answer.events:
            current_services().events.append(kind, **data)
        if tally is not None and answer.tally is not None:
            tally.add(answer.tally)
        saw(answer.touched)
        self._drawn(task, moved(before, answer.random))
        generators.put_back({name: answer.random[name] for name in moved(before, answer.random)})
        if answer.error is not None:
            raise answer.error
        refuse_hidden_changes(task, self._apart.sharing(answer.changed, values), answer)
        self._apart.follow(answer.groups, task.gives)
        return answer.result

    def _new_attempt(self) -> str:
        """A name that no other attempt has."""
        return uuid.uuid4().hex

    def _sent(self, task: Task, values: Mapping[str, Any], attempt: str, random: generators.States) -> worker.Answer:
        import cloudpickle

        at = here()
        inputs = {name: values[name] for name in task.takes}
        sent = task if task.over else replace(task, policy=Policy(files=task.policy.files))
        request = worker.Request(
            task=sent, inputs=inputs, place=(at.id, at.key), run=current_services().run, random=random,
            own_run=self._facts(), watched=current_services().moments is not None,
        )  # fmt: skip
        with by_value(task.function):
            blob = dumped(request, inputs)
        with self._hearing.of(attempt, current_services().moments), self.turn.away():
            found = self._result(blob, attempt, task.step)
        answer: worker.Answer = cloudpickle.loads(found)
        return answer

    def _facts(self) -> dict[str, Any]:
        names = ("run_id", "experiment", "tracking_uri", "directory")
        return {name: getattr(self._own_run, name) for name in names}

    def _given_up(self, attempts: Collection[str], error: BaseException) -> None:
        goes_on = isinstance(error, OutOfTime | Exception)
        with self.turn.away():
            undisturbed(lambda: self._leave(attempts, goes_on=goes_on))

    def _drawn(self, task: Task, names: Collection[str]) -> None:
        """Refuse random numbers that would be others each time; `names` are the generators that a task has moved."""
        if names and not self.alone(task):
            raise RunFailed(
                f"Step '{task.step}' draws from a global random generator ({', '.join(sorted(names))}), which its code "
                "does not show; beside other steps, its numbers would be others each time.",
                cure="Give it a generator of its own (random.Random(1), numpy.random.default_rng(1), random_state=1), "
                "or run without -j.",
                fields={"step": task.step},
            )


def moved(before: generators.States, after: generators.States) -> list[str]:
    """The random generators that stand elsewhere now; one that was not loaded here is nobody's."""
    both = before.keys() & after.keys()
    return [name for name in both if not generators.are_the_same({name: before[name]}, {name: after[name]})]


def undisturbed(call: Callable[[], object]) -> None:
    """Call, and let whatever stops a step whose time is over not stop this."""
    if threading.current_thread() is threading.main_thread():
        with _no_timer():
            call()
        return
    caller = threading.Thread(target=call, name="p2p-leaving")
    caller.start()
    while True:
        try:
            while caller.is_alive():
                caller.join(0.2)
        except OutOfTime:  # also between two looks
            continue
        return


@contextmanager
def _no_timer() -> Iterator[None]:
    """In the block, the timer of a step whose time is over does not fire again."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    left, again = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, again)


@contextmanager
def by_value(function: Callable[..., Any]) -> Iterator[None]:
    """In the block, the user's package is sent itself, not by its name: workers need not have it."""
    import cloudpickle

    package = (getattr(function, "__module__", None) or "__main__").partition(".")[0]
    ours = [] if package in ("__main__", "p2p") else _modules_of(package)
    for module in ours:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in ours:
            cloudpickle.unregister_pickle_by_value(module)


def libraries(functions: Iterable[Callable[..., Any]]) -> set[str]:
    """The installed packages that the modules of these functions have imported, by their top-level names."""
    found = set()
    for function in functions:
        for value in getattr(inspect.unwrap(function), "__globals__", {}).values():
            name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            found.add(name.partition(".")[0] if isinstance(name, str) else "")
    return {name for name in found - sys.stdlib_module_names - {"p2p"} if _is_installed(name)}


def _is_installed(name: str) -> bool:
    path = getattr(sys.modules.get(name), "__file__", None)
    return path is not None and is_library_path(path)


def _modules_of(package: str) -> list[ModuleType]:
    """The loaded modules of a package that lies in the project, not among the installed ones."""
    found = [m for name, m in list(sys.modules.items()) if name.partition(".")[0] == package and m is not None]
    return [m for m in found if not is_library_path(getattr(m, "__file__", None) or "")]
