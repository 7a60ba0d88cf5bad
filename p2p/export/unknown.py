"""Names that a step needs and nothing above it is known to give: refused, with what may be meant."""

from __future__ import annotations

from collections.abc import Collection

from p2p.errors import AnalysisError, nearest
from p2p.export.pieces import CallPiece, CellPiece, FreePiece, Piece, Pieces


def refuse_hidden(name: str, piece: Piece, before: int, pieces: Pieces) -> None:
    """Refuse a name that may come from code above whose names cannot be told."""
    for above in pieces.all[:before]:
        for line, what in above.statement.names.dynamic if isinstance(above, FreePiece) else ():
            raise AnalysisError(
                f"Cell {above.cell.number}, line {line}: {what} hides which names it gives, and "
                f"{step_word(piece)} (cell {piece.cell.number}) reads '{name}', which no cell above writes.",
                cure="Write the names out.",
            )
    for cell, line, what in pieces.foreign_above(piece):
        raise AnalysisError(
            f"Cell {cell}, line {line}: '{what}' is IPython's and has no meaning in a module, and "
            f"{step_word(piece)} (cell {piece.cell.number}) reads '{name}', which no other cell above writes.",
            cure="Write it in Python.",
        )


def refuse_unknown(name: str, piece: Piece, before: int, pieces: Pieces, parameters: Collection[str]) -> None:
    """Refuse a name that nothing above the piece gives, with the closest one that something gives."""
    known = {n: p.cell.number for p in pieces.all[:before] for n in p.writes}
    close = nearest(name, [*known, *parameters])
    where = f" (cell {known[close]})" if close in known else ""
    later = next((p.cell.number for p in pieces.all[before:] if name in p.writes), None)
    hint = f" Cell {later}, below it, does: move it up." if later else ""
    raise AnalysisError(
        f"Cell {piece.cell.number}: {step_word(piece)} reads '{name}', which no cell above writes.{hint}",
        cure=f"Closest name: '{close}'{where}." if close and not later else "",
    )


def step_word(piece: Piece) -> str:
    """What to call a piece in a sentence."""
    if isinstance(piece, CellPiece):
        return f"step '{piece.mark.name}'"
    return f"step '{piece.call.function}'" if isinstance(piece, CallPiece) else "a statement that a step needs"
