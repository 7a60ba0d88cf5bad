"""A version appears whole or not at all; what a killed export left goes with the next one."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from p2p.errors import StoreError
from p2p.export.packages import promoted_version
from p2p.export.staging import publish, staged
from p2p.manifest import versions
from p2p.settings import Settings
from tests.faults import failing

FILES = {"steps.py": "steps", "tests/data/in_x.json": "[1]", "manifest.json": "{}"}


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    return Settings(tmp_path, "")


def write(stage: Path, version: int) -> Path:
    directory = stage / "pipelines" / "sales" / f"v{version}"
    for name, text in FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


def export(place: Settings, version: int) -> Path:
    with staged(place, "sales", version) as stage:
        return publish(write(stage, version), place.pipelines, "sales", version)


def is_whole(version: Path) -> bool:
    return {p.relative_to(version).as_posix(): p.read_text() for p in version.rglob("*") if p.is_file()} == FILES


def hidden(place: Settings) -> list[str]:
    return [path.name for path in place.pipelines.iterdir() if path.name.startswith(".")]


def test_the_first_version_brings_its_package_and_later_ones_leave_it(place: Settings) -> None:
    first = export(place, 1)
    assert first == place.pipelines / "sales" / "v1"
    assert promoted_version(place.pipelines, "sales") == 1
    assert (place.pipelines / "__init__.py").exists()
    assert (first.parent / "__main__.py").exists()
    (first.parent / "__init__.py").write_text("# ours\n")
    assert is_whole(export(place, 2))
    assert is_whole(first)
    assert (first.parent / "__init__.py").read_text() == "# ours\n"
    assert hidden(place) == []


@pytest.mark.parametrize("earlier", [[], [1]])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_version_is_whole_or_absent_whichever_operation_fails(place: Settings, code: int, earlier: list[int]) -> None:
    for version in earlier:
        export(place, version)
    target = place.pipelines / "sales" / f"v{len(earlier) + 1}"
    failed, refused, nth = 1, 0, 0
    while failed:
        # An operation may fail and not be needed, as making a folder that is there; then there is a version already.
        shutil.rmtree(target if earlier else place.pipelines, ignore_errors=True)
        nth += 1
        with staged(place, "sales", len(earlier) + 1) as stage:
            directory = write(stage, len(earlier) + 1)
            with failing(nth, code) as faults, suppress(StoreError):
                publish(directory, place.pipelines, "sales", len(earlier) + 1)
        failed, refused = faults.failed, refused + (not target.exists())
        assert is_whole(target) if target.exists() else versions(target.parent) == earlier
        assert hidden(place) == []
    assert refused >= 1
    assert is_whole(target)
    assert promoted_version(place.pipelines, "sales") == 1


def test_a_number_that_was_taken_meanwhile_is_refused_and_kept(place: Settings) -> None:
    for version in (1, 2):
        export(place, version)
    with staged(place, "sales", 2) as stage:
        directory = write(stage, 2)
        (directory / "steps.py").write_text("another")
        with pytest.raises(StoreError, match="v2"):
            publish(directory, place.pipelines, "sales", 2)
    assert is_whole(place.pipelines / "sales" / "v2")


_STAGE_AND_WAIT = """
import sys, time
from pathlib import Path
from p2p.export.staging import staged
from p2p.settings import Settings
with staged(Settings(Path(sys.argv[1]), ""), "sales", 1):
    print("staged", flush=True)
    time.sleep(600)
"""


def test_what_a_killed_export_left_goes_with_the_next_and_a_live_one_stays(place: Settings) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    command = [sys.executable, "-c", _STAGE_AND_WAIT, str(place.root)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "staged\n"
        export(place, 1)
        assert len(hidden(place)) == 1
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert len(hidden(place)) == 1
    export(place, 2)
    assert hidden(place) == []
