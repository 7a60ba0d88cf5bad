"""What a TARGET names: a notebook, a pipeline, or one of its versions."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

from p2p.errors import InputRefused, TargetError
from p2p.export.packages import known_version, promoted_version
from p2p.notebook.texts import TEXTS
from p2p.pipeline import Pipeline
from p2p.runners import LOCAL
from p2p.settings import Settings

_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def is_notebook(target: str) -> bool:
    """Whether the target is a file's path and not a pipeline's name."""
    return target.endswith((".ipynb", *TEXTS)) or "/" in target or _is_file(target)


def refuse_elsewhere(engine: str) -> None:
    """Refuse to run a notebook anywhere but in a kernel here."""
    if engine != LOCAL:
        raise InputRefused("A notebook runs in one kernel, not on Dask.", cure="Export it, and run the pipeline.")


def _is_file(target: str) -> bool:
    try:
        return Path(target).is_file()
    except (OSError, ValueError):  # too long a name, a NUL
        return False


def split_version(target: str) -> tuple[str, int | None]:
    """`name@3` as (name, 3); (name, None) without a version."""
    name, at, text = target.partition("@")
    if at and not _VERSION.fullmatch(text):
        raise TargetError(f"'{target}' names no version.", cure=f"Write {name}@N with a whole number from 1.")
    return name, int(text) if at else None


def exact_version(target: str) -> tuple[str, int]:
    """`name@3` as (name, 3); TargetError without a version."""
    name, version = split_version(target)
    if version is None:
        raise TargetError(f"'{target}' does not say which version.", cure=f"Write {name}@N.")
    return name, version


def load_pipeline(target: str, settings: Settings) -> Pipeline:
    """The pipeline that `name` (its promoted version) or `name@3` stands for."""
    name, version = split_version(target)
    number = version if version is not None else promoted_version(settings.pipelines, name)
    known_version(settings.pipelines, name, number)
    if str(settings.root) not in sys.path:
        sys.path.insert(0, str(settings.root))
    pipeline = importlib.import_module(f"pipelines.{name}.v{number}.pipeline").pipeline
    if not isinstance(pipeline, Pipeline):
        raise TargetError(f"pipelines/{name}/v{number}/pipeline.py has no `pipeline`.", cure="Export it again.")
    return pipeline
