"""Two versions of a pipeline beside each other. Nothing of them is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from p2p.analysis import split_lines
from p2p.drift.differences import Change, StepChange, ValueChange, VersionDiff
from p2p.drift.hand import Version, few, open_version
from p2p.drift.stepping import compare_helpers, compare_steps, side, text_diff
from p2p.drift.wiring import read_contracts
from p2p.export.moving import PACKAGE
from p2p.manifest import Manifest
from p2p.settings import Settings


def diff(before: tuple[str, int], after: tuple[str, int], settings: Settings) -> VersionDiff:
    """What changed from one version to another: parameters, contracts, steps, and values on the same parameters.

    Raises:
        InputRefused: there is no such version, or a file of it cannot be read.
    """
    old, new = open_version(*before, settings), open_version(*after, settings)
    old_side, new_side = side(old), side(new)
    steps = tuple(compare_steps(old_side, new_side))
    note = _other_parameters(old.manifest, new.manifest)
    return VersionDiff(
        before=old.title, after=new.title,
        parameters=tuple(_parameters(old.manifest.interface["params"], new.manifest.interface["params"])),
        contracts=tuple(_contracts(read_contracts(old.read("contracts.py")), read_contracts(new.read("contracts.py")))),
        steps=steps, helpers=(*compare_helpers(old_side, new_side), *_modules(old, new)),
        values=() if note else tuple(_values(old.manifest, new.manifest, steps)), values_note=note,
        notes=tuple(_by_hand(old, new)),
    )  # fmt: skip


def _by_hand(*versions: Version) -> Iterator[str]:
    for version in versions:
        if version.changed:
            yield f"{version.title} was edited by hand: {few(version.changed)}"


def _parameters(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield Change(name, "removed", before=before[name]["type"])
        elif name not in before:
            yield Change(name, "added", after=after[name]["type"])
        else:
            yield from _parameter(name, _facts(before[name]), _facts(after[name]))


def _parameter(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for fact, was in before.items():
        if was != after[fact]:
            yield Change(name, fact, was, after[fact])


def _facts(parameter: Mapping[str, Any]) -> dict[str, str]:
    kind, bounds = _type_and_bounds(parameter["type"])
    default = "none: it must be given" if parameter["required"] else repr(parameter["default"])
    return {"type": kind, "bounds": bounds, "default": default}


def _type_and_bounds(text: str) -> tuple[str, str]:
    """`Annotated[int, Field(gt=0)]` as `int` and `gt=0`."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return text, ""
    if not (isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Annotated")):
        return ast.unparse(node), ""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return ast.unparse(parts[0]), ", ".join(map(_bound, parts[1:]))


def _bound(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and not node.args and ast.unparse(node.func).endswith("Field"):
        return ", ".join(ast.unparse(keyword) for keyword in node.keywords)
    return ast.unparse(node)


def _contracts(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new:
            kind = "added" if old is None else "removed" if new is None else "changed"
            yield Change(name, kind, diff=text_diff(split_lines(old or ""), split_lines(new or "")))


def _modules(before: Version, after: Version) -> Iterator[Change]:
    """The author's own modules that the versions hold."""
    for path in dict.fromkeys([*before.manifest.modules, *after.manifest.modules]):
        old, new = (v.directory / PACKAGE / path for v in (before, after))
        texts = [file.read_text(encoding="utf-8") if file.is_file() else None for file in (old, new)]
        if texts[0] != texts[1]:
            kind = "added" if texts[0] is None else "removed" if texts[1] is None else "changed"
            yield Change(f"{PACKAGE}/{path}", kind, diff=text_diff(*(split_lines(text or "") for text in texts)))


def _other_parameters(before: Manifest, after: Manifest) -> str:
    """Why the recorded values say nothing about each other; empty where they do."""
    common = [name for name in before.params if name in after.params]
    other = [f"{n} was {before.params[n]!r}, is {after.params[n]!r}" for n in common
             if before.params[n] != after.params[n]]  # fmt: skip
    return f"they were recorded on different parameters: {'; '.join(other)}" if other else ""


def _values(before: Manifest, after: Manifest, steps: Sequence[StepChange]) -> Iterator[ValueChange]:
    earlier = {step.name: step.renamed_from or step.name for step in steps}
    for step, values in after.digests.items():
        known = before.digests.get(earlier.get(step, step), {})
        for name, digest in values.items():
            if name in known:
                yield ValueChange(step, name, _verdict(known[name], digest))


def _verdict(before: str | None, after: str | None) -> str:
    if before is None or after is None:
        return "not compared"
    return "equal" if before == after else "unequal"
