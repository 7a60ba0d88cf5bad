"""What a module could not reach or tell: imports that only the notebook can follow, and names that no text has."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec

from p2p.analysis import Place
from p2p.errors import AnalysisError
from p2p.export.needs import Needs
from p2p.export.neighbours import hidden_by, home_of
from p2p.export.pieces import FreePiece, Pieces

_REBINDS = ("globals()", "exec(", "get_ipython().")


def refuse_imports(needs: Needs, places: Sequence[Place]) -> None:
    """Refuse a needed import of a module that another may stand for, or that is in no place which the text tells."""
    for piece in needs.imports():
        for module in _modules(piece.statement.node):
            twin = hidden_by(module, places)
            if twin is not None:
                shown = os.path.relpath(twin, places[0].directory)
                raise AnalysisError(
                    f"Cell {piece.cell.number}: '{module}' is installed, and '{shown}' may stand before it: which of "
                    "them the notebook gets depends on what was loaded before.",
                    cure="Give the file another name.",
                )
            if home_of(module, places) is None and not _can_be_found(module):
                raise AnalysisError(
                    f"Cell {piece.cell.number}: '{module}' is not installed, so the module would not find it. The "
                    "notebook does, as long as it changes sys.path or runs in another environment.",
                    cure="Install it as a package, or define what the steps use of it in a cell.",
                )


def refuse_dynamic(pieces: Pieces, needs: Needs) -> None:
    """Refuse names that the text does not tell: in what the steps need, and in what may rebind what they give."""
    last = max((p.order for p in pieces.all if not isinstance(p, FreePiece)), default=0)
    for piece in pieces.all[:last]:
        if not isinstance(piece, FreePiece) or piece.in_step:
            continue
        for line, what in piece.statement.names.dynamic:
            if what.startswith(_REBINDS) or (needs.has(piece) and not piece.statement.is_import):
                raise AnalysisError(
                    f"Cell {piece.cell.number}, line {line}: {what} hides which names are read and written.",
                    cure="Write the names out.",
                )


def _can_be_found(module: str) -> bool:
    with suppress(ValueError, ImportError):  # of a module that was made by hand
        return not module or module in sys.modules or find_spec(module) is not None
    return True


def _modules(node: ast.stmt) -> list[str]:
    """The top-level names of the modules that an import names."""
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").partition(".")[0]] if not node.level else []
    return [alias.name.partition(".")[0] for alias in node.names] if isinstance(node, ast.Import) else []
