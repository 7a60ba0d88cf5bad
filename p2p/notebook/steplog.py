"""A run's steps in papermill's own log: a line when one starts, when one has ended, and now and then how far it is."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from p2p.progress import Pace, Progress
from p2p.terminal import visible

if TYPE_CHECKING:
    from p2p.notebook.manager import TruthfulManager


class StepLog:
    """Takes the events of a run that papermill's own command has begun.

    Args:
        managers: papermill's record of the notebook, as soon as there is one; it has the progress bar.
        pace: when it is time for a line about how far a step is.
    """

    def __init__(self, managers: Sequence[TruthfulManager], pace: Pace | None = None) -> None:
        self._managers = managers
        self._pace = pace or Pace()
        self._log = logging.getLogger("papermill")

    def __call__(self, event: Mapping[str, Any]) -> None:
        handler = getattr(self, f"_on_{event['kind']}", None)
        if handler is not None:
            handler(event)

    def _on_step_started(self, event: Mapping[str, Any]) -> None:
        self._say(f"step {event['step']} has started")
        self._beside_bar(event["step"])

    def _on_step_progress(self, event: Mapping[str, Any]) -> None:
        line = f"step {event['step']}: {Progress.from_dict(event).line()}"
        self._beside_bar(line.removeprefix("step "))
        if self._pace.due(event["id"]):
            self._say(line)

    def _on_step_retried(self, event: Mapping[str, Any]) -> None:
        error = f"{event['error_type']}: {event['error'][:200]}"
        self._say(f"step {event['step']}: attempt {event['attempt']} has failed ({error})")

    def _on_step_finished(self, event: Mapping[str, Any]) -> None:
        error = f" ({event['error_type']}: {event['error'][:200]})" if "error_type" in event else ""
        self._pace.forget(event["id"])
        self._beside_bar("")
        self._say(f"step {event['step']} is {event['state']}, {event['seconds']:.2f} s{error}")

    def _say(self, text: str) -> None:
        """One line; a bar that is on the screen makes room for it."""
        bar = self._bar()
        with bar.external_write_mode() if bar is not None else contextlib.nullcontext():
            self._log.info("%s", visible(text).replace("\n", " "))

    def _beside_bar(self, text: str) -> None:
        bar = self._bar()
        if bar is not None:
            bar.set_postfix_str(visible(text).replace("\n", " "))

    def _bar(self) -> Any:
        """The progress bar of papermill; None where it has none, or no more."""
        return getattr(self._managers[-1], "pbar", None) if self._managers else None
