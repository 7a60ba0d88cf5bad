"""Where a version is written and proven before it has a number: it appears whole or not at all, `kill -9` or not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from p2p.export.packages import write_package_files, write_root
from p2p.files import locked, move_whole
from p2p.settings import Settings

_PREFIX = ".export-"
_ALIVE = ".alive"
_PATIENCE = 30.0  # seconds; the lock is held while a folder is made or leftovers are removed


@contextmanager
def staged(settings: Settings, name: str, version: int) -> Iterator[Path]:
    """A directory beside the pipelines that looks like a project with just this version.

    It goes at the end of the block. What a killed export has left goes with the next export.
    """
    settings.pipelines.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with locked(settings.mlruns / "p2p" / "export.lock", wait=_PATIENCE):
            _remove_leftovers(settings.pipelines)
            stage = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=settings.pipelines))
            held.enter_context(locked(stage / _ALIVE, wait=0))
        try:
            (stage / "pipelines" / name / f"v{version}").mkdir(parents=True)
            for folder in (stage / "pipelines", stage / "pipelines" / name):
                (folder / "__init__.py").touch()
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def publish(directory: Path, pipelines: Path, name: str, version: int) -> Path:
    """Give a proven version its place, all at once; the first one of a pipeline brings the pipeline's own files.

    Raises:
        StoreError: the disk does not take it, or another export has given a version this number meanwhile.
    """
    for cache in directory.rglob("__pycache__"):
        shutil.rmtree(cache)
    home, target = pipelines / name, pipelines / name / f"v{version}"
    write_root(pipelines)
    if home.exists():
        write_package_files(home, name, version)
        move_whole(directory, target)
    else:
        (directory.parent / "__init__.py").unlink()  # the empty one of the stage
        write_package_files(directory.parent, name, version)
        move_whole(directory.parent, home)
    return target


def _remove_leftovers(pipelines: Path) -> None:
    """Remove the directories of exports whose process is gone: nobody holds their lock."""
    if os.name != "posix":
        return  # without file locks nobody can tell
    for leftover in pipelines.glob(f"{_PREFIX}*"):
        with locked(leftover / _ALIVE, wait=0) as gone:
            if gone:
                shutil.rmtree(leftover, ignore_errors=True)
