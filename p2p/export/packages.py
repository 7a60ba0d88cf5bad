"""The files around the versions: which one is promoted, and how `python -m` runs it."""

from __future__ import annotations

import re
from pathlib import Path

from p2p.errors import TargetError, nearest
from p2p.files import write_atomic
from p2p.manifest import versions

_MAIN = '''"""`python -m pipelines.{name}`: run the promoted version."""

from p2p.cli import module_main

from . import pipeline

raise SystemExit(module_main(pipeline))
'''
_PROMOTED = '''"""{name}, the version that production runs: the one that the line below names."""

from .v{version}.pipeline import pipeline as pipeline
'''
_LINE = re.compile(r"^from \.v([1-9]\d*)\.pipeline import pipeline as pipeline$", re.MULTILINE)


def write_root(pipelines: Path) -> None:
    """Make the package that holds all pipelines."""
    if not (pipelines / "__init__.py").exists():
        write_atomic(pipelines / "__init__.py", '"""Exported pipelines, a package each. Written by `p2p export`."""\n')


def write_package_files(home: Path, name: str, version: int) -> None:
    """Make the package around a new version, in `home`; the first version of a pipeline is the promoted one."""
    if not (home / "__init__.py").exists():
        write_atomic(home / "__init__.py", _PROMOTED.format(name=name, version=version))
    if not (home / "__main__.py").exists():
        write_atomic(home / "__main__.py", _MAIN.format(name=name))


def promoted_version(pipelines: Path, name: str) -> int:
    """The version that the pipeline's one import line names."""
    init = known_pipeline(pipelines, name) / "__init__.py"
    match = _LINE.search(init.read_text(encoding="utf-8")) if init.is_file() else None
    if match is None:
        raise TargetError(
            f"'{init}' has no line that names the promoted version.", cure=f"Name one with `p2p promote {name}@N`."
        )
    return int(match[1])


def set_promoted(pipelines: Path, name: str, version: int) -> None:
    """Move the import line to another version, and change nothing else."""
    init = pipelines / name / "__init__.py"
    text = init.read_text(encoding="utf-8") if init.is_file() else ""
    line = f"from .v{version}.pipeline import pipeline as pipeline"
    new = _LINE.sub(line, text, count=1) if _LINE.search(text) else _PROMOTED.format(name=name, version=version)
    write_atomic(init, new)


def known_pipeline(pipelines: Path, name: str) -> Path:
    """The directory of a pipeline that has a version; TargetError with the nearest name when there is none."""
    home = pipelines / name
    if name.isidentifier() and versions(home):
        return home
    others = [p.name for p in pipelines.iterdir() if versions(p)] if pipelines.is_dir() else []
    close = nearest(name, others)
    cure = (
        f"Did you mean '{close}'?"
        if close
        else f"Known: {', '.join(sorted(others)) or 'none; export a notebook first'}."
    )
    raise TargetError(f"There is no pipeline '{name}'.", cure=cure)


def known_version(pipelines: Path, name: str, version: int) -> Path:
    """The directory of a version; TargetError naming those that exist when it does not."""
    home = known_pipeline(pipelines, name)
    known = versions(home)
    if version not in known:
        raise TargetError(f"'{name}' has no version {version}.", cure=f"It has {', '.join(map(str, known))}.")
    return home / f"v{version}"
