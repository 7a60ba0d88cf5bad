"""Nothing grows in the parent or its owner from run to run, and no run sees another."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path

import psutil
import pytest

from p2p.notebook import RunOptions
from tests.building import write_notebook
from tests.kernels.place import FORKED, Place, texts

CELLS = (
    "import numpy, sys, os",
    """
    marks = [hasattr(sys, "mark"), "MARK" in os.environ, hasattr(numpy, "mark"), os.path.exists("mark")]
    sys.mark = numpy.mark = bytearray(1_000_000)
    os.environ["MARK"] = "left"
    kept = open(os.devnull)
    print(any(marks))
    """,
)


def sizes(process: psutil.Process) -> tuple[int, int, int, int]:
    """Memory of its own in MB, threads, descriptors, children."""
    return (process.memory_full_info().uss // 10**6, process.num_threads(), process.num_fds(), len(process.children()))


def seen(place: Place, mode: str, runs: int) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]], set[str]]:
    """Sizes of the parent and of this process after a tenth of the runs and at the end; what the runs printed."""
    path = write_notebook(place.settings.root / "notebooks" / "leaks.ipynb", *CELLS)
    shown: set[str] = set()
    parents: list[tuple[int, ...]] = []
    ours: list[tuple[int, ...]] = []
    for number in range(runs):
        shown.add(texts(place.run_as(path, RunOptions(html=False, kernels=place.kernels_for(mode))))[1])
        if number in (max(3, runs // 10), runs - 1):
            place.beside.all_sent()
            gc.collect()
            parents.append(sizes(parent_of(place, mode)))
            ours.append(sizes(psutil.Process()))
    return parents, ours, shown


def parent_of(place: Place, mode: str) -> psutil.Process:
    """The process that forks the kernels, when the one that waits, if there is one, has come as far as it will."""
    kernels = place.kernels_for(mode)
    assert kernels is not None
    (kept,) = (one for one in kernels._kept.values() if "import numpy" in one.ahead)
    assert kept.parent is not None
    time.sleep(1)
    return psutil.Process(kept.parent.process.pid)


def check(place: Place, mode: str, runs: int) -> None:
    parents, ours, shown = seen(place, mode, runs)
    assert shown == {"False\n"}
    assert parents[0][1:] == parents[1][1:]
    # ZeroMQ closes sockets in a thread of its own, a moment later; one a run would be many more by now.
    assert all(after - before <= 2 for before, after in zip(ours[0][1:], ours[1][1:], strict=True))
    assert parents[1][0] - parents[0][0] <= 2
    assert ours[1][0] - ours[0][0] <= 2 + runs // 20  # what the session's record of runs takes
    assert "MARK" not in os.environ
    assert not Path("mark").exists()


@pytest.mark.parametrize("mode", FORKED)
def test_ten_runs_leave_parent_and_owner_as_they_were(place: Place, mode: str) -> None:
    check(place, mode, 10)


@pytest.mark.soak
@pytest.mark.parametrize("mode", FORKED)
def test_five_hundred_runs_leave_parent_and_owner_as_they_were(place: Place, mode: str) -> None:
    check(place, mode, 500)
