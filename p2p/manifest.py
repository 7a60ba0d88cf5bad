"""The record beside an exported version: where it came from, what it promises, and what was verified.

Format 1, JSON. Readers ignore fields that they do not know; a later format adds fields and keeps these.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from p2p.errors import TargetError

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is known of one exported version.

    Attributes:
        pipeline, version: which one.
        notebook, notebook_digest: what it was made from; the path is relative to the project.
        git_commit: the project's commit at the time, with `-dirty` when files differed.
        recorded_run, verified_run: MLflow run ids of the notebook's run and of the module's run that equalled it.
        params: the parameters of both, as plain data.
        change: `first`, `breaking`, `additive` or `same interface`, against the version before.
        changes: what changed, one sentence each.
        interface: parameters, and contracts of the final outputs, that users of the pipeline rely on.
        steps: per step: its cell, inputs, and for each output its digest, type and whether it was verified.
        files: digest of each generated file.
        environment: Python's version, those of the packages in requirements.lock, and what the processor was.
        tests: how the generated tests went.
        notes: what could not be done, in words.
        units: by name, a digest of each function, constant or other statement in `steps.py`, by which an edit shows;
            empty in versions that were written before there was one.
        kept: the unmarked statements that were kept for what they do: `cell` and `what`, the beginning of their text.
        modules: by path in the version's `modules`: the author's own `file` that was copied, and its `digest`; the
            path is relative to the project.
        tolerance: the part of a number by which values that are `close` may differ.
        beside: whether it was verified in the notebook's directory, as it is not equal in an empty one.
        reads: the files in the notebook's directory that it was seen to read; relative paths.
        p2p: the version of p2p that wrote it.
    """

    pipeline: str
    version: int
    notebook: str
    notebook_digest: str
    git_commit: str
    recorded_run: str
    verified_run: str
    params: dict[str, Any]
    change: str
    changes: list[str]
    interface: dict[str, Any]
    steps: list[dict[str, Any]]
    files: dict[str, str]
    environment: dict[str, Any]
    tests: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)
    modules: dict[str, dict[str, str]] = field(default_factory=dict)
    tolerance: float = 0.0
    beside: bool = True
    reads: list[str] = field(default_factory=list)
    p2p: str = ""
    format: int = FORMAT

    def text(self) -> str:
        """As JSON, with a line a field, so that a version's diff can be read."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @property
    def digests(self) -> dict[str, dict[str, str | None]]:
        """By step and output: the recorded digest; None where the value cannot be expected to have it again."""
        return {
            s["name"]: {n: None if o.get("verified") == "close" else o["digest"] for n, o in s["outputs"].items()}
            for s in self.steps
        }


def read_manifest(directory: Path) -> Manifest:
    """The manifest of the version in `directory`.

    Raises:
        TargetError: it is not there, is of a later format, or is damaged.
    """
    path = directory / NAME
    if not path.is_file():
        raise TargetError(f"There is no {NAME} in '{directory}', so this is no exported version.")
    known = Manifest.__dataclass_fields__
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        later = data.get("format", 0) > FORMAT
        found = None if later else Manifest(**{k: v for k, v in data.items() if k in known})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise TargetError(f"'{path}' is damaged: {error}.", cure="Get it back from git, or export again.") from error
    if found is None:
        raise TargetError(f"'{path}' has format {data['format']}; this p2p reads up to {FORMAT}.", cure="Update p2p.")
    return found


def versions(pipeline: Path) -> list[int]:
    """The numbers of the versions in a pipeline's directory, in order."""
    found = (re.fullmatch(r"v([1-9]\d*)", p.name) for p in pipeline.glob("v*") if (p / NAME).is_file())
    return sorted(int(match[1]) for match in found if match)


def compare_interfaces(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, list[str]]:
    """What kind of change leads from one interface to the next, and its parts in words.

    `breaking`: someone who uses the old one may fail with the new one. `additive`: there is only more. Otherwise
    `same interface` (a changed default is listed, but nobody need change a call).
    """
    breaking, additive, same = _param_changes(before["params"], after["params"])
    gone = [f"output '{n}' is gone" for n in before["outputs"] if n not in after["outputs"]]
    new = [f"output '{n}' is new" for n in after["outputs"] if n not in before["outputs"]]
    for name, contract in before["outputs"].items():
        if after["outputs"].get(name, contract) != contract:
            breaking.append(f"output '{name}' has another contract")
    breaking, additive = breaking + gone, additive + new
    kind = "breaking" if breaking else "additive" if additive else "same interface"
    return kind, breaking + additive + same


def _param_changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    breaking = [f"parameter '{n}' is gone" for n in before if n not in after]
    additive: list[str] = []
    same: list[str] = []
    for name, facts in after.items():
        old = before.get(name)
        if old is None:
            target = breaking if facts["required"] else additive
            target.append(f"parameter '{name}' is new")
        elif old["type"] != facts["type"]:
            breaking.append(f"parameter '{name}' is now {facts['type']}, was {old['type']}")
        elif facts["required"] and not old["required"]:
            breaking.append(f"parameter '{name}' no longer has a default")
        elif old["required"] and not facts["required"]:
            same.append(f"parameter '{name}' now has the default {facts['default']!r}")
        elif old["default"] != facts["default"]:
            same.append(f"parameter '{name}' defaults to {facts['default']!r}, was {old['default']!r}")
    return breaking, additive, same
