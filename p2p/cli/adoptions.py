"""`p2p adopt`, shown."""

from __future__ import annotations

from typing import Any

from p2p.adoption import Proposal
from p2p.cli import show
from p2p.cli.text import escape


def answer(proposal: Proposal, *, written: bool) -> dict[str, Any]:
    """The answer of `p2p adopt --json`."""
    return {
        "notebook": str(proposal.notebook.path),
        "written": written,
        "parameters": proposal.parameters.number if proposal.parameters is not None else None,
        "cells": [
            {
                "cell": found.cell.number, "role": found.role.value, "name": found.name, "inputs": list(found.inputs),
                "outputs": list(found.outputs), "reason": found.reason,
            }
            for found in proposal.cells
        ],
    }  # fmt: skip


def show_proposal(proposal: Proposal, *, written: bool) -> None:
    """Each cell with what it is and why; the steps with what flows between them."""
    rows = [
        [str(c.cell.number), c.name or c.role.value, ", ".join(c.inputs), ", ".join(c.outputs), c.reason]
        for c in proposal.cells
    ]
    show.table(["cell", "is", "takes", "gives", "because"], rows)
    path = escape(str(proposal.notebook.path))
    if written:
        show.out.print(f"{len(proposal.steps)} steps are marked. Next: p2p run {path}, then p2p export {path}")
    else:
        show.out.print(f"{len(proposal.steps)} steps proposed. To mark them: p2p adopt {path} --write")
