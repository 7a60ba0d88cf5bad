"""The debug notebook as a document, and its file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from p2p.debugging.case import Case
from p2p.debugging.scene import RUN, Scene
from p2p.debugging.telling import block
from p2p.errors import InputRefused
from p2p.files import write_atomic
from p2p.settings import Settings

TAG = "p2p-debug"
FORMAT = 1
_PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}
_MOST_OF_A_NAME = 60


def document(case: Case, scene: Scene, told: str) -> dict[str, Any]:
    """The notebook of a step, whose head tells `told`; equal for equal runs."""
    home = {"format": FORMAT, "run": case.run.summary.key, "run_id": case.run.summary.run_id, **scene.home}
    return {
        "cells": list(_cells(case, scene, told)),
        "metadata": {"kernelspec": dict(scene.kernel) or _PYTHON, "language_info": {"name": "python"},
                     "p2p": {"debug": home}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip


def write(found: Mapping[str, Any], path: Path) -> Path:
    """Write a notebook to a file that is not there yet; gives its path, which may have got a number."""
    free, number = path, 1
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    write_atomic(free, json.dumps(found, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
    return free


def place(case: Case, settings: Settings, output: Path | None) -> Path:
    """Where the notebook goes; InputRefused where that is no notebook's path."""
    if output is None:
        name = "-".join(_plain(text) for text in (case.name, case.step.name, case.run.id[:8]))
        return settings.root / "debug" / f"{name}.ipynb"
    if output.suffix != ".ipynb" or not output.resolve().is_relative_to(settings.root):
        raise InputRefused(
            f"'{output}' is no place for a debug notebook.",
            cure="Name a file that ends in .ipynb, in the project: it finds its run there.",
        )
    return output


def _plain(text: str) -> str:
    """A text as a part of a file's name."""
    return re.sub(r"[^\w-]+", "_", text)[:_MOST_OF_A_NAME]


def _cells(case: Case, scene: Scene, told: str) -> Iterator[dict[str, Any]]:
    run = _free_name("run", scene)
    yield _cell("p2p-head", told, kind="markdown")
    yield _cell("p2p-run", _opening(case, scene, run))
    if scene.definitions:
        yield _cell("p2p-above", scene.definitions)
    if scene.inputs:
        yield _cell("p2p-inputs", "\n".join(_load(case, name, run) for name in scene.inputs))
    if case.traceback:
        hidden = {"jupyter": {"source_hidden": True}, "collapsed": True}
        yield _cell("p2p-traceback", f"**The traceback of the run**\n\n{block(case.traceback)}", "markdown", hidden)
    yield _cell(TAG, scene.code, metadata={"tags": [TAG]})
    if scene.call:
        yield _cell("p2p-call", scene.call)


def _cell(at: str, source: str, kind: str = "code", metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    facts = {"cell_type": kind, "id": at, "metadata": dict(metadata or {}), "source": source.splitlines(keepends=True)}
    return {**facts, "execution_count": None, "outputs": []} if kind == "code" else facts


def _opening(case: Case, scene: Scene, run: str) -> str:
    """Code that finds the run, and stands where the step stood."""
    folder = f" / {scene.folder!r}" if scene.folder else ""
    lines = [
        "import os", "import sys", "", "import p2p", "from p2p.settings import load_settings", "",
        f"{run} = p2p.runs(kind={case.kind!r}).find({case.run.summary.key!r})",
        "sys.path.insert(0, str(load_settings().root))",
        f"os.chdir(load_settings().root{folder})",
        *(["sys.path.insert(0, os.getcwd())"] if folder else []),
        *([f"sys.path.insert(0, str(load_settings().root / {scene.beside!r}))"] if scene.beside else []),
        *([f"__package__ = {scene.package!r}  # for relative imports"] if scene.package else []),
        *(f"{name} = {text.replace(RUN, run, 1)}" for name, text in scene.loads.items()),
    ]  # fmt: skip
    return "\n".join(lines)


def _load(case: Case, name: str, run: str) -> str:
    return f"{name} = {run}[{case.step.name!r}].inputs[{name!r}]"


def _free_name(name: str, scene: Scene) -> str:
    """The name, with underscores behind it where the step's own code has it."""
    words = {*re.findall(r"\w+", f"{scene.code}\n{scene.definitions}\n{scene.call}"), *scene.inputs, *scene.loads}
    while name in words:
        name += "_"
    return name
