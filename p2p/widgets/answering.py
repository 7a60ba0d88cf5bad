"""`p2p.panel()`: the panel, or what can be read of it where nobody can click.

The widget holds nothing but the page's code. All that is shown is asked for by messages, `{"id", "ask", ...}`, and
answered by `{"id", "answer"}`; what changes by itself is pushed, `{"push", ...}`. Texts go as data, and the page puts
them in as text, never as HTML.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from p2p.errors import P2PError
from p2p.mlui import address_of, run_place
from p2p.session import here
from p2p.session.here import Kernel
from p2p.settings import load_settings
from p2p.widgets import ship, steps
from p2p.widgets.past import PastRuns, name_of
from p2p.widgets.running import Running

_APART = 0.1  # seconds between two pushes
_LONG = ("standing", "ship", "runs", "compare", "plot", "mlflow")
_TRIES = 3  # a thread may look at what has run just as more runs


def panel() -> Any:
    """The panel of this notebook: its steps, its parameters, its runs, and how it ships.

    In JupyterLab, Notebook and VS Code it is a widget. In a headless run, and in a plain shell, it is a table of the
    steps, which is also what a page or a file shows that was made of the notebook.

    Raises:
        P2PError: p2p was not loaded in this kernel, or the package that draws it is not installed.
    """
    kernel = here.kernel()
    if kernel is None:
        raise P2PError("The panel belongs to a notebook in which p2p is loaded.", cure="Run %load_ext p2p first.")
    if kernel.headless:
        return steps.as_table(kernel)
    try:
        from p2p.widgets.page import Page
    except ImportError:
        raise P2PError(
            "The panel needs ipywidgets and anywidget, which are not installed here.",
            cure="Install them: pip install 'p2p-toolkit[lab]'.",
        ) from None
    return Page(Panel(kernel))


class Panel:
    """Answers what the page asks.

    Args:
        kernel: the kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.settings = load_settings(self._folder())
        self.running = Running(self.push)
        self._send: Callable[[Mapping[str, Any]], None] = lambda _message: None
        self._stop = here.listen(self._stepped)
        self._stop_following = here.follow(self._moved)
        self._turn = threading.Lock()
        self._reading = threading.Lock()
        self._later: threading.Timer | None = None
        self._pushed = 0.0
        self._asks: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
            "steps": lambda _: steps.graph(kernel),
            "step": lambda asked: steps.details(kernel, str(asked["name"]), self.settings),
            "stale": lambda _: {"note": kernel.run_stale()},
            "form": lambda _: self._form(),
            "check": lambda asked: self._check(asked["text"]),
            "run": lambda asked: self._run(asked["text"]),
            "stop": lambda _: self.running.stop(),
            "runs": lambda asked: self._runs().page(asked),
            "compare": lambda asked: self._runs().compared(str(asked["first"]), str(asked["second"])),
            "plot": lambda asked: self._runs().plotted(str(asked["metric"]), asked),
            "mlflow": lambda asked: self._in_mlflow(str(asked["run"])),
            "standing": lambda _: ship.standing_of(self.settings, kernel.file()),
            "ship": lambda asked: ship.done(
                self.settings, str(asked["command"]), kernel.file(), [str(one) for one in asked.get("arguments", ())],
                {step.name: step.cell for step in kernel.outline().steps},
            ),
        }  # fmt: skip

    def connect(self, send: Callable[[Mapping[str, Any]], None]) -> None:
        """Have what is pushed sent by `send`."""
        self._send = send

    def close(self) -> None:
        """Nobody looks any more."""
        self._stop()
        self._stop_following()
        with self._turn:
            if self._later is not None:
                self._later.cancel()

    def asked(self, message: Any) -> None:
        """Answer a message of the page; what takes long, or waits for another process, in a thread."""
        what = message.get("ask") if isinstance(message, dict) else None
        if not isinstance(what, str) or what not in self._asks:
            return
        if what in _LONG:
            threading.Thread(target=self._answer, args=(message,), name="p2p-panel", daemon=True).start()
        else:
            self._answer(message)

    def push(self, what: str, **data: Any) -> None:
        """Tell the page of what it did not ask for."""
        self._send({"push": what, **data})

    def _answer(self, message: Mapping[str, Any]) -> None:
        try:
            answer = self._asks[message["ask"]](message)
        except Exception as error:  # noqa: BLE001  # whatever it is, the page has to hear of it
            answer = {"problem": f"{error}" if isinstance(error, P2PError) else f"{type(error).__name__}: {error}"}
        self._send({"id": message.get("id"), "answer": answer})

    def _stepped(self) -> None:
        """Push how the steps stand, not more often than can be seen: what comes too soon is pushed a moment later."""
        with self._turn:
            waiting = self._later is not None
            due = time.monotonic() - self._pushed >= _APART
            if not due and not waiting:
                self._later = threading.Timer(_APART, self._push_steps)
                self._later.daemon = True
                self._later.start()
        if due and not waiting:
            self._push_steps()

    def _moved(self, step: str) -> None:
        """Push how far a step is: its loop waits meanwhile, so this is all that is pushed."""
        with contextlib.suppress(Exception):  # as below
            self.push("progress", **steps.moving(self.kernel, step))

    def _push_steps(self) -> None:
        with self._turn:
            self._later, self._pushed = None, time.monotonic()
        for _ in range(_TRIES):
            with contextlib.suppress(Exception):  # a page that is gone must not fail a step, nor a kernel that goes on
                self.push("steps", **steps.graph(self.kernel))
                return

    def _folder(self) -> Any:
        path = self.kernel.file()
        return path.parent if path is not None else None

    def _runs(self) -> PastRuns:
        return PastRuns(self.settings, name_of(self.kernel.file()), turn=self._reading)

    def _in_mlflow(self, key: str) -> dict[str, Any]:
        """Where the run is seen in MLflow's UI, which is started where it is not there yet."""
        run = self._runs().run(key)
        return {"address": run_place(address_of(self.settings), self.settings, run.summary.key)}

    def _parameters(self) -> Any:
        from p2p.notebook.document import parameters_of, read_notebook

        path = self.kernel.file()
        if path is None:
            raise P2PError("Nobody tells which notebook this is.", cure="Save it, and open the panel again.")
        return parameters_of(read_notebook(path))

    def _form(self) -> dict[str, Any]:
        from p2p.widgets.form import fields

        return {"fields": fields(self._parameters())}

    def _check(self, text: Mapping[str, Any]) -> dict[str, Any]:
        from p2p.widgets.form import problems

        return {"problems": problems(self._parameters(), _texts(text))}

    def _run(self, text: Mapping[str, Any]) -> dict[str, Any]:
        found = self._check(text)
        path = self.kernel.file()
        if not found["problems"] and path is not None:
            self.running.start(path, {name: one for name, one in _texts(text).items() if one is not None})
        return found


def _texts(text: Mapping[str, Any]) -> dict[str, str | None]:
    return {str(name): None if one is None else str(one) for name, one in text.items()}
