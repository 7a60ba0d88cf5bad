"""Whether an export after a pull gives the module that was edited by hand, by meaning."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import zip_longest

from p2p.drift.hand import Version
from p2p.drift.importing import needed_imports
from p2p.drift.regenerating import Regenerated
from p2p.drift.threeway import Edits
from p2p.export.units import Module, undressed
from p2p.model import Finding

_WHY = "A pull brings back what an export gives again."
_MARKS = {
    "pipeline.py": "Change the step's mark or decorator, or its code, in the notebook.",
    "params.py": "Change the parameters cell of the notebook.",
}


def unproven(
    version: Version, module: Module, before: Regenerated, after: Regenerated, edits: Edits
) -> Iterator[Finding]:
    """What an export of the pulled notebook would write otherwise than the hand did.

    Args:
        version: the edited version.
        module: its `steps.py`.
        before: what the notebook becomes without the edits.
        after: what it becomes with them.
        edits: what was brought back.
    """
    yield from _units(module, before.module, after.module, edits)
    for name, cure in _MARKS.items():
        if name in version.changed and not _equal(version.read(name), after.file(name)):
            yield Finding(name, "it was edited, and does not follow from the notebook.", _WHY, cure)


def _units(module: Module, before: Module, after: Module, edits: Edits) -> Iterator[Finding]:
    for name in dict.fromkeys([*before.units, *after.units, *edits.changed]):
        source = module if name in edits.changed else before
        wanted = source.meaning(name) if name in source.units and name not in edits.dropped else ""
        given = after.meaning(name) if name in after.units else ""
        if wanted != given and not _unneeded(name, after, edits):
            yield Finding(f"steps.py, '{name}'", _difference(name, source, after), _WHY, _CURE)
    for name in edits.changed:
        if name in after.units and (other := _other_imports(name, module, after)):
            yield Finding(f"steps.py, '{name}'", f"{other} means something else in the notebook.", _WHY, _CURE)


_CURE = "Make the edit in the notebook by hand. A name that is no output begins with an underscore in a cell."


def _unneeded(name: str, after: Module, edits: Edits) -> bool:
    """Whether a helper is left out of the module because what was edited does not use it any more."""
    return name not in after.units and name not in edits.changed


def _difference(name: str, wanted: Module, after: Module) -> str:
    if name not in after.units:
        return "an export of the notebook would leave it out."
    if name not in wanted.units:
        return "an export of the notebook would have it still, or again."
    pairs = zip_longest(_lines(wanted, name), _lines(after, name), fillvalue="nothing")
    here, there = next(((a, b) for a, b in pairs if a != b), ("", ""))
    return f"from the notebook it would be another one: `{there.strip()}` instead of `{here.strip()}`."


def _lines(module: Module, name: str) -> list[str]:
    node = module.units[name].node
    return ast.unparse(undressed(node) if name in module.generated else node).splitlines()


def _other_imports(name: str, module: Module, after: Module) -> str:
    """The names that a unit reads which are imported otherwise."""
    given = needed_imports(after, name)
    return ", ".join(repr(n) for n, text in needed_imports(module, name).items() if given.get(n) != text)


def _equal(text: str, other: str) -> bool:
    return ast.dump(ast.parse(text)) == ast.dump(ast.parse(other))
