"""The names of a cell: what it reads from outside, what it leaves behind, and what it may change in place.

This is what wires a pipeline. It is told from the text alone, so that "may" is said where the text does not decide:
a name bound in one branch only and read later counts as read; a name bound in one branch only counts as written.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from p2p.analysis.record import BUILTINS
from p2p.analysis.scopes import Read
from p2p.analysis.statements import Statements
from p2p.analysis.transform import CELLS, parse_cell, too_deep


@dataclass(frozen=True)
class CellNames:
    """What the text of a cell tells about its names.

    Attributes:
        reads: names needed from outside, in order of first appearance. Builtins only where the cell also binds them.
        late_reads: those of `reads` that are needed only when a function defined in the cell is called.
        maybe_reads: those of `reads` that the cell may have bound itself by then (in a branch, in an earlier turn of a
            loop): that nobody provides one of these is no error.
        builtin_reads: names of builtins that are read. An earlier cell that binds one of them provides it.
        writes: names bound at the end of the cell, on some way through it, in order of first binding.
        maybe_writes: those of `writes` that are not bound on every way through the cell.
        kinds: for each write "value", "loop" (bound only by for, with, match or `:=`), "import", "function" or "class".
        mutates: names, read or written, whose objects may be changed in place: stores into attributes and items, `+=`,
            `inplace=True`, `out=` and methods known to mutate. A module imported in the cell is none of them.
        deletes: names that `del` removes.
        dynamic: (line, what) of each construct whose names cannot be told.
        has_await: whether the cell itself awaits.
    """

    reads: tuple[str, ...] = ()
    late_reads: tuple[str, ...] = ()
    maybe_reads: tuple[str, ...] = ()
    builtin_reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    maybe_writes: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    mutates: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    dynamic: tuple[tuple[int, str], ...] = ()
    has_await: bool = False


@lru_cache(maxsize=CELLS)
def cell_names(source: str, *, lazy_annotations: bool = False) -> CellNames:
    """The names of a cell, IPython syntax and step mark allowed; AnalysisError, where it is no Python.

    With `lazy_annotations` a cell above has imported them from `__future__`, which holds for all below it.
    """
    return names_in(parse_cell(source), lazy_annotations=lazy_annotations)


def names_in(tree: ast.Module, *, lazy_annotations: bool = False) -> CellNames:
    """The names of code that has been parsed."""
    walker = Statements()
    walker.lazy_annotations = lazy_annotations
    try:
        walker.walk(tree)
    except RecursionError as error:
        raise too_deep() from error
    return _answer(walker)


def _answer(walker: Statements) -> CellNames:
    reads = _needed(walker)
    writes = tuple(name for name in walker.kinds if walker.ending.dead or name in walker.ending.maybe)
    late = tuple(name for name in reads if name not in walker.direct)
    known = {*reads, *walker.kinds}
    return CellNames(
        reads=reads,
        late_reads=late,
        maybe_reads=tuple(n for n in reads if n not in walker.sure or (n in late and n in walker.kinds)),
        builtin_reads=tuple(read.name for read in sorted(walker.reads.values()) if read.name in BUILTINS),
        writes=writes,
        maybe_writes=tuple(name for name in writes if name not in walker.ending.bound),
        kinds={name: walker.kinds[name] for name in writes},
        mutates=tuple(name for name in walker.mutated() if name in known and name not in walker.modules),
        deletes=tuple(walker.deletes),
        dynamic=tuple(sorted(walker.dynamic)),
        has_await=walker.has_await,
    )


def _needed(walker: Statements) -> tuple[str, ...]:
    ordered: list[Read] = sorted(walker.reads.values())
    return tuple(read.name for read in ordered if read.name not in BUILTINS or read.name in walker.kinds)


def step_inputs(names: CellNames) -> tuple[str, ...]:
    """The inputs of a step cell that declares none: all that it reads from outside."""
    return names.reads


def step_outputs(names: CellNames, *, modules: Collection[str] = ()) -> tuple[str, ...]:
    """The outputs of a step cell that declares none: its values, then the inputs that it may change in place.

    Names with a leading underscore are private to the cell.

    Args:
        names: the names of the cell.
        modules: names that other cells import: `np.append(a, b)` looks like a change to `np`, and only they know.
    """
    values = [name for name in names.writes if names.kinds[name] == "value"]
    changed = [n for n in names.mutates if n in names.reads and n not in names.late_reads and n not in modules]
    return tuple(name for name in dict.fromkeys([*values, *changed]) if not name.startswith("_"))
