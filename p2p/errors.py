"""Every error that p2p raises, drawn as one tree.

    P2PError                      one paragraph: what, where, how to cure it; `exit_code` for the command line
    |-- InputRefused              exit 2: refused before anything ran or was written
    |   |-- ParameterError        parameter names or values; all problems at once
    |   |-- NotebookError         a notebook that cannot be read or used
    |   |-- AnalysisError         code whose inputs and outputs cannot be told, with the cell
    |   `-- TargetError           a target, pipeline, version or run that does not exist
    |-- RunFailed                 exit 1: a cell or a step raised
    |   |-- StepTimeout           a step took longer than its policy allows
    |   |-- ItemFailed            a mapped step failed at one of its items
    |   |-- WorkerLost            the worker that ran a step was lost
    |   `-- ContractBroken        a value does not look as its contract says
    |-- EvidenceRefused           exit 3: refused on evidence; carries findings
    `-- StoreError                a value or journal that cannot be written or trusted

Errors carry their facts as fields, survive pickling, and know nothing of how they are shown.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from p2p.model import Finding


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` was most likely meant to be, or None when none is close."""
    close = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return close[0] if close else None


class P2PError(Exception):
    """The root: a message of one paragraph and the fields it was made from.

    Args:
        message: what happened and where.
        cure: what the reader can do about it; appended to the message.
        fields: the facts, for programs (`--json`).
    """

    exit_code = 1

    def __init__(self, message: str, *, cure: str = "", fields: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.fields = fields or {}

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the paragraph."""
        return [f"{type(self).__name__}: {self}"]

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.__dict__.copy())


def _rebuild(kind: type[P2PError], state: dict[str, Any]) -> P2PError:
    error = kind.__new__(kind)
    Exception.__init__(error, state["message"])
    error.__dict__.update(state)
    return error


class InputRefused(P2PError):
    """Refused before a kernel started or a file was written."""

    exit_code = 2


class ParameterError(InputRefused):
    """Parameters that were refused, all of them at once.

    Args:
        problems: one sentence a problem, each naming its parameter.
    """

    def __init__(self, problems: Sequence[str], *, cure: str = "") -> None:
        lead = "" if len(problems) == 1 else f"{len(problems)} problems with the parameters: "
        super().__init__(lead + " ".join(problems), cure=cure, fields={"problems": list(problems)})
        self.problems = list(problems)


class NotebookError(InputRefused):
    """A notebook that cannot be read, or lacks what was asked of it."""


class AnalysisError(InputRefused):
    """Code whose inputs and outputs cannot be told; names the cell and line."""


class TargetError(InputRefused):
    """A target, pipeline, version or run that is not there."""


class RunFailed(P2PError):
    """A run that did not succeed: a cell or a step raised, or its process died."""


class StepTimeout(RunFailed):
    """A step took longer than its policy allows.

    Args:
        step: the step's name.
        seconds: the limit that it passed.
        limit: which one that was: "timeout" (of one attempt) or "give-up time" (of all of them).
    """

    def __init__(self, step: str, seconds: float, limit: str = "timeout") -> None:
        super().__init__(
            f"Step '{step}' was stopped: it took longer than its {limit} of {seconds:g} s.",
            cure=f"Raise its {limit}, or give it less work.",
            fields={"step": step, "seconds": seconds},
        )


class ItemFailed(RunFailed):
    """A mapped step failed at one of its items, whose last attempt raised the `__cause__` of this error.

    Args:
        step: the step's name.
        item: the item's index, from 0.
        items: how many there are.
        error: what was raised.
    """

    def __init__(self, step: str, item: int, items: int, error: BaseException) -> None:
        super().__init__(
            f"Step '{step}' failed at item {item} of its {items:,} (counted from 0): {type(error).__name__}: {error}",
            cure=f"Call it with that item alone: {step}(partitions[{item}]).",
            fields={"step": step, "item": item, "items": items},
        )

    def _render_traceback_(self) -> list[str]:
        """The paragraph below the traceback of the item's own error, which tells where in the function it arose."""
        cause = self.__cause__
        shown = traceback.format_exception(cause) if cause is not None else []
        return [*"".join(shown).splitlines(), *super()._render_traceback_()]


class WorkerLost(RunFailed):
    """The worker that ran a step, or all of them, was lost while it ran.

    Args:
        step: the step's name.
        how: what is known of it.
    """

    def __init__(self, step: str, how: str) -> None:
        super().__init__(
            f"Step '{step}' was lost with the worker that ran it: {how}.",
            cure="See the worker's log (its memory may have been used up), or give the step retries.",
            fields={"step": step},
        )


class ContractBroken(RunFailed):
    """Values at a step's border do not look as their contracts say.

    Args:
        step: the step that takes or gives the values.
        broken: by value, one sentence per broken rule; the message has the first few of many, the fields have all.
        taken: whether the step takes the values; else it gives them.
    """

    def __init__(self, step: str, broken: Mapping[str, Sequence[str]], *, taken: bool = False) -> None:
        parts = [f"'{name}', which breaks its contract: {_first_few(problems)}." for name, problems in broken.items()]
        mend = f"Mend the data before step '{step}'" if taken else f"Mend step '{step}' or the data that it reads"
        super().__init__(
            " ".join(f"Step '{step}' {'takes' if taken else 'gives'} {part}" for part in parts),
            cure=f"{mend}. If the new shape is right, change the contract: run the notebook on it and export again.",
            fields={
                "step": step, "border": "input" if taken else "output",
                "values": {name: list(problems) for name, problems in broken.items()},
            },
        )  # fmt: skip


def _first_few(problems: Sequence[str], most: int = 8) -> str:
    more = len(problems) - most
    return "; ".join([*problems[:most], *([f"and {more} more"] if more > 0 else [])])


class EvidenceRefused(P2PError):
    """Refused on evidence: values not equal, a check failed, a promotion blocked.

    Args:
        findings: what the evidence is.
        step: the first step that it is about; empty where it is about none.
        value: the first value that it is about; empty where it is about none.
        digest: what that value's digest is now.
    """

    exit_code = 3

    def __init__(
        self, message: str, findings: Sequence[Finding], *, cure: str = "", step: str = "", value: str = "",
        digest: str | None = None,
    ) -> None:  # fmt: skip
        told = [finding.as_dict() for finding in findings]
        super().__init__(
            message, cure=cure, fields={"findings": told, "step": step, "value": value, "digest": digest}
        )  # fmt: skip
        self.findings = list(findings)


class StoreError(P2PError):
    """A stored value or journal that cannot be written, or must not be trusted."""
