"""Parameters whose type a literal cannot have: converted in the kernel, after the injected cell.

papermill's injected cell holds literals only, so a date arrives as text and a secret as asterisks. Before the first
cell that follows, they become what the parameters cell says they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from p2p.session.attached import Attachment


class PendingParameters:
    """The conversions that a run still has to make; none in an interactive notebook."""

    def __init__(self, attachment: Attachment | None = None, secrets: Mapping[str, str] | None = None) -> None:
        self._attachment = attachment if attachment is not None and attachment.convert else None
        self._secrets = dict(secrets or {})

    def convert(self, namespace: dict[str, Any]) -> None:
        """Convert, once all injected literals stand in the namespace."""
        attachment = self._attachment
        if attachment is None:
            return
        if not all(_is_literal(namespace.get(name), value) for name, value in attachment.given.items()):
            return
        from p2p.notebook.document import parameters_of, read_notebook

        parameters = parameters_of(read_notebook(Path(attachment.notebook)))
        given = {**attachment.given, **self._secrets}
        namespace.update(parameters.parse(given).converted())
        self._attachment = None
        self._secrets.clear()


def _is_literal(found: Any, literal: Any) -> bool:
    """Whether a name stands for this literal by now; told by its text, as a nan is not equal to itself."""
    return type(found) is type(literal) and repr(found) == repr(literal)
