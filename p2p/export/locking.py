"""`requirements.lock`: the exact environment that a version was verified in, hashed, without any index address."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from p2p.analysis import owners_of, parse_cell

_PROJECT_LOCKS = ("requirements.lock", "requirements.txt")
_HASH = re.compile(r"--hash=\S+")
_P2P = "p2p-toolkit"


def lock(sources: Iterable[str], root: Path) -> tuple[str, dict[str, str], list[str]]:
    """The lock's text, its packages with their versions, and notes on what has no hash.

    It holds the packages that the sources import and p2p needs, and what these require in turn. Hashes come from the
    project's own lock where it names the same version, and from `uv` for the rest.
    """
    packages = closure([*_imported(sources), _P2P])
    packages.pop(_P2P, None)
    hashes = _project_hashes(root)
    missing = {n: v for n, v in packages.items() if (n, v) not in hashes}
    if missing:
        hashes.update(_uv_hashes(missing))
    bare = [n for n, v in packages.items() if (n, v) not in hashes]
    notes = [f"requirements.lock has no hash for {', '.join(bare)}"] if bare else []
    entries = [_entry(n, v, hashes.get((n, v), ())) for n, v in packages.items()]
    return (
        "\n".join(["# The environment this version was verified in; p2p itself comes beside it.", *entries, ""]),
        packages,
        notes,
    )


def _entry(name: str, version: str, hashes: Sequence[str]) -> str:
    return " \\\n    ".join([f"{name}=={version}", *hashes])


def _imported(sources: Iterable[str]) -> list[str]:
    """The distributions whose modules the sources import."""
    import ast

    modules: dict[str, None] = {}
    for source in sources:
        for node in ast.walk(parse_cell(source)):
            if isinstance(node, ast.Import):
                modules.update(dict.fromkeys(a.name.split(".")[0] for a in node.names))
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                modules[node.module.split(".")[0]] = None
    return [distribution for module in modules for distribution in owners_of(module)]


def closure(names: Iterable[str]) -> dict[str, str]:
    """Name (normalized) and version of these installed distributions and all that they require, by name."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    waiting = [(name, "") for name in names]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        key = _normal(name)
        if (key, extra) in seen:
            continue
        seen.add((key, extra))
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[key] = distribution.version
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(requirement.name, e) for e in ("", *requirement.extras)]
    return dict(sorted(found.items()))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _project_hashes(root: Path) -> dict[tuple[str, str], list[str]]:
    hashes: dict[tuple[str, str], list[str]] = {}
    for name in _PROJECT_LOCKS:
        path = root / name
        if path.is_file():
            hashes.update(parse_hashes(path.read_text(encoding="utf-8")))
    return hashes


def parse_hashes(text: str) -> dict[tuple[str, str], list[str]]:
    """By (name, version): the hashes that a requirements file gives."""
    joined = text.replace("\\\n", " ")
    hashes = {}
    for line in joined.splitlines():
        match = re.match(r"\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;]+)", line)
        if match and "--hash=" in line:
            hashes[_normal(match[1]), match[2]] = _HASH.findall(line)
    return hashes


def _uv_hashes(packages: dict[str, str]) -> dict[tuple[str, str], list[str]]:
    """Hashes that uv finds out; none where uv is not installed or cannot reach an index."""
    wanted = "".join(f"{n}=={v}\n" for n, v in packages.items())
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--no-deps", "--generate-hashes", "--no-header",
               "--no-annotate", "--no-emit-index-url", "--quiet"]  # fmt: skip
    try:
        done = subprocess.run(command, input=wanted, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return parse_hashes(done.stdout) if done.returncode == 0 else {}
