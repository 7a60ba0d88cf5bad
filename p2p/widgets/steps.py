"""The steps of this kernel's notebook as the panel draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from p2p.debugging import way_in
from p2p.model import ValueRef
from p2p.outline import Outline, Standing, StandingTable, standings
from p2p.outline.ran import Ran
from p2p.quantities import size_text
from p2p.session.here import Kernel
from p2p.settings import Settings
from p2p.widgets.layout import places


def graph(kernel: Kernel) -> dict[str, Any]:
    """What is drawn: `nodes`, a step each with its place and how it stands, and `edges` between them by name."""
    found = kernel.outline()
    edges = found.edges()
    at = places([step.name for step in found.steps], [(source, target) for source, target, _ in edges])
    nodes = [
        {**_stand(one), "column": at[one.step.name][0], "row": at[one.step.name][1]}
        for one in standings(found, kernel.ranning)
    ]
    joined: dict[tuple[str, str], list[str]] = {}
    for source, target, name in edges:
        joined.setdefault((source, target), []).append(name)
    return {
        "notebook": _name(kernel), "nodes": nodes,
        "edges": [{"from": a, "to": b, "values": names} for (a, b), names in joined.items()],
        "problems": [{"cell": number, "what": why} for number, why in found.problems.items()],
    }  # fmt: skip


def _name(kernel: Kernel) -> str:
    path = kernel.file()
    return path.name if path is not None else "this session"


def moving(kernel: Kernel, name: str) -> dict[str, Any]:
    """How far one step is, while it runs; no more is looked at, as its loop waits for that."""
    ran = kernel.ranning.steps.get(name)
    return {"name": name, "progress": _progress(ran)}


def _progress(ran: Ran | None) -> dict[str, str] | None:
    """How far a step is, in short and in a line; None where it does not run, or does not say."""
    if ran is None or ran.progress is None:
        return None
    return {"short": ran.progress.short(), "line": ran.progress.line()}


def _stand(one: Standing) -> dict[str, Any]:
    ran = one.ran
    return {
        "progress": _progress(ran),
        "name": one.step.name, "cell": one.step.cell, "state": one.state, "why": list(one.why),
        "seconds": ran.seconds if ran is not None and ran.state != "running" else None,
        "attempts": ran.attempts if ran is not None else 0, "error": ran.error if ran is not None else "",
    }  # fmt: skip


def details(kernel: Kernel, name: str, settings: Settings) -> dict[str, Any]:
    """What is shown of one step: its code, what it took and gave the last time, its last error and the way into it."""
    found = kernel.outline()
    one = next((one for one in standings(found, kernel.ranning) if one.step.name == name), None)
    if one is None:
        return {"name": name, "gone": True}
    ran = one.ran
    return {
        **_stand(one), "code": _code(one, found),
        "way_in": _way_in(kernel, one, settings),
        "inputs": _values(one.step.inputs, ran.taken if ran is not None else {}),
        "outputs": _values(one.step.outputs, ran.given if ran is not None else {}),
        "uses": [{"name": used, "cell": cell} for used, cell in one.step.uses.items()],
    }  # fmt: skip


def _way_in(kernel: Kernel, one: Standing, settings: Settings) -> str:
    """The command line that opens a step that failed in the open run; empty for any other one."""
    return way_in(kernel.run_id, settings, step=one.step.name) if one.state == "failed" and kernel.run_id else ""


def _code(one: Standing, found: Outline) -> str:
    """The step's cell; of a function, the cell that defines it first."""
    base = one.step.name.rstrip("0123456789").rstrip("_")
    defined = one.step.uses.get(one.step.name, one.step.uses.get(base))
    parts = [found.sources[defined]] if defined is not None else []
    return "\n\n".join([*parts, one.step.source])


def _values(names: tuple[str, ...], refs: Mapping[str, ValueRef]) -> list[dict[str, Any]]:
    return [_value(name, refs.get(name)) for name in dict.fromkeys([*names, *refs])]


def _value(name: str, ref: ValueRef | None) -> dict[str, Any]:
    if ref is None:
        return {"name": name, "type": "", "shape": "", "size": "", "preview": ""}
    return {
        "name": name, "type": ref.type.removeprefix("builtins."), "shape": " x ".join(f"{n:,}" for n in ref.shape),
        "size": size_text(ref.nbytes) if ref.nbytes else "", "preview": ref.reason or ref.preview[:500],
    }  # fmt: skip


def as_table(kernel: Kernel) -> StandingTable:
    """The same as a table, where nothing can be drawn."""
    found = kernel.outline()
    return StandingTable(_name(kernel), standings(found, kernel.ranning), found.problems)
