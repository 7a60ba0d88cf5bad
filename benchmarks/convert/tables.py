"""The results as tables: outcomes counted, ours beside those of the peers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

OUTCOMES = ("equal", "different", "refused", "fails", "takes too long", "does not run")

Results = Mapping[str, Mapping[str, dict[str, Any]]]
"""By notebook and by stage, what was found out."""


def outcomes(results: Results, stages: Mapping[str, str]) -> str:
    """How many notebooks came out how, a column for each stage.

    Args:
        results: what was found out.
        stages: heading of each stage that is shown, by stage.
    """
    counts = {stage: Counter(_outcome(by_stage, stage) for by_stage in results.values()) for stage in stages}
    rows = [f"| outcome | {' | '.join(stages.values())} |", f"|---|{'---|' * len(stages)}"]
    rows += [f"| {outcome} | {' | '.join(str(counts[stage][outcome]) for stage in stages)} |" for outcome in OUTCOMES]
    values = [sum(by.get(stage, {}).get("compared", 0) for by in results.values()) for stage in stages]
    return "\n".join([*rows, f"| values compared | {' | '.join(map(str, values))} |"])


def share(results: Results, stage: str) -> str:
    """How many of the deterministic notebooks are equal, and what is said of the others."""
    ran = [by for by in results.values() if not by["plain"]["error"]]
    steady = [by for by in ran if deterministic(by["plain"])]
    equal = sum(_outcome(by, stage) == "equal" for by in steady)
    percent = f" ({equal / len(steady):.0%})" if steady else ""
    rest = [by for by in ran if not deterministic(by["plain"])]
    moving = sum(_outcome(by, stage) == "equal" for by in rest)
    return (
        f"{stage}: of {len(ran)} notebooks that run, {len(steady)} are deterministic, and {equal} of these are equal"
        f"{percent}. Of the {len(rest)} others {moving} are equal."
    )


def refusals(results: Results) -> str:
    """Each notebook that p2p did not convert equal, with its reason."""
    rows = ["| notebook | outcome | deterministic | reason |", "|---|---|---|---|"]
    for name, by_stage in results.items():
        made = by_stage.get("p2p")
        if made is None or made["outcome"] == "equal":
            continue
        steady = "yes" if deterministic(by_stage["plain"]) else f"no: {', '.join(unstable(by_stage['plain'])[:5])}"
        right = " (that value is another in the second plain run too)" if made["right_reason"] else ""
        rows.append(f"| {name} | {made['outcome']} | {steady} | {_cell(made['reason'])}{right} |")
    return "\n".join(rows)


def deterministic(plain: Mapping[str, Any]) -> bool:
    """Whether two runs of the notebook agree about every value that has a digest, after every cell."""
    return not unstable(plain)


def unstable(plain: Mapping[str, Any]) -> list[str]:
    """The names about which two runs do not agree."""
    from benchmarks.convert.plain import Plain

    return Plain(**plain).unstable


def _outcome(by_stage: Mapping[str, dict[str, Any]], stage: str) -> str:
    if by_stage["plain"]["error"]:
        return "does not run"
    return str(by_stage.get(stage, {}).get("outcome", "not done"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:300]
