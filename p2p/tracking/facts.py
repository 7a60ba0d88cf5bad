"""What a run says of its surroundings: git commit, Python, package versions."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from blake3 import blake3


@dataclass(frozen=True)
class Surroundings:
    """What a run says of its surroundings.

    Attributes:
        git_commit: as `git_commit` has it.
        python: Python's version.
        packages: version of every installed distribution, by name.
    """

    git_commit: str
    python: str
    packages: Mapping[str, str]


def surroundings(root: Path) -> Surroundings:
    """The surroundings of the project at `root`, as they are now."""
    return Surroundings(git_commit(root), python_version(), package_versions())


def git_commit(directory: Path) -> str:
    """The commit that `directory` is at, with `-dirty` when files differ from it; empty outside a repository."""
    command = ["git", "-C", str(directory), "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    told = [line for line in done.stdout.splitlines() if line.startswith("# branch.oid ")]
    commit = told[0].split()[-1] if told else ""
    differs = any(not line.startswith("#") for line in done.stdout.splitlines())
    return "" if commit in ("", "(initial)") else f"{commit}-dirty" if differs else commit


def python_version() -> str:
    """This Python's version, as `3.11.7`."""
    return platform.python_version()


@cache
def processor() -> str:
    """What floating-point results may depend on: the kind of processor, its name, and a digest of its vector units.

    Libraries of linear algebra and numpy choose their code by these, and so the order in which they add up.
    """
    name = platform.processor()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    units: list[str] = []
    with suppress(ImportError, AttributeError):
        core: Any = import_module("numpy._core._multiarray_umath")
        units = sorted(unit for unit, there in core.__cpu_features__.items() if there)
    return f"{platform.machine()} {name} {blake3(' '.join(units).encode()).hexdigest()[:8]}"


def package_versions() -> dict[str, str]:
    """Name and version of every installed distribution, in alphabetical order."""
    return dict(_package_versions(installed_at()))


def installed_at() -> tuple[tuple[str, int], ...]:
    """The folders that packages are looked for in, and when something was last put into each, or taken out of it."""
    found = {text: Path(text) for text in sys.path}
    return tuple((text, path.stat().st_mtime_ns) for text, path in found.items() if path.is_dir())


@lru_cache(maxsize=2)
def _package_versions(_installed_at: tuple[tuple[str, int], ...]) -> dict[str, str]:
    headers = [found.metadata for found in metadata.distributions()]  # parsed anew each time it is asked for
    found = {header["Name"]: header["Version"] for header in headers if header["Name"]}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def relative(path: Path, root: Path) -> str:
    """`path` relative to the project where it lies inside, else its name alone."""
    resolved = path.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else resolved.name
