"""Where a kernel cannot be forked it is started, and the run's journal says why; the parent is gone with its owner."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from p2p.kernels import NoFork, WarmKernels
from p2p.kernels.warm import KernelRequest
from p2p.model import RunStatus
from p2p.notebook import RunOptions, run_notebook
from p2p.outcome import RunOutcome
from tests.building import write_notebook
from tests.kernels.place import Place, texts

OWNER = """
import sys, time
from pathlib import Path
from p2p.kernels import WarmKernels
from p2p.kernels.warm import KernelRequest
import os
out = os.open(os.devnull, os.O_WRONLY)
command = [sys.executable, "-m", "ipykernel_launcher", "-f", sys.argv[1]]
kernels = WarmKernels()
kernel = kernels.fork(KernelRequest(command, dict(os.environ), Path.cwd(), [], out, out, out))
parent = next(iter(kernels._kept.values())).parent.process
print(parent.pid, kernel.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def kernels() -> Iterator[WarmKernels]:
    with WarmKernels() as made:
        yield made


@pytest.fixture
def request_(tmp_path: Path) -> Iterator[KernelRequest]:
    out = os.open(os.devnull, os.O_WRONLY)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", str(tmp_path / "connection.json")]
    yield KernelRequest(command, dict(os.environ), tmp_path, ["import jinja2"], out, out, out)
    os.close(out)


def test_another_python_and_another_kernel_are_started(kernels: WarmKernels, request_: KernelRequest) -> None:
    with pytest.raises(NoFork, match="another Python, /usr/bin/other"):
        kernels.fork(replace(request_, command=["/usr/bin/other", *request_.command[1:]]))
    with pytest.raises(NoFork, match="not ipykernel's own"):
        kernels.fork(replace(request_, command=[sys.executable, "-m", "other_kernel", "-f", "x"]))


def test_a_changed_environment_is_named(kernels: WarmKernels, request_: KernelRequest) -> None:
    kernels.fork(request_).kill()
    changed = {**request_.environment, "OMP_NUM_THREADS": "3", "P2P_RUN": "another"}
    with pytest.raises(NoFork, match=r"environment has changed .*: OMP_NUM_THREADS$"):
        kernels.fork(replace(request_, environment=changed))


def test_a_changed_environment_that_stays_gets_a_parent_and_kernels_of_the_old_one_go_on(
    kernels: WarmKernels, request_: KernelRequest
) -> None:
    old = kernels.fork(request_)
    changed = replace(request_, environment={**request_.environment, "OMP_NUM_THREADS": "3"})
    with pytest.raises(NoFork):
        kernels.fork(changed)
    new = kernels.fork(changed)
    assert psutil.Process(new.pid).ppid() != psutil.Process(old.pid).ppid()
    assert "OMP_NUM_THREADS=3" in Path(f"/proc/{psutil.Process(new.pid).ppid()}/environ").read_text().split("\0")
    assert old.poll() is None


def test_a_module_of_the_author_that_hides_a_library_is_seen_at_each_run(
    kernels: WarmKernels, request_: KernelRequest
) -> None:
    (request_.directory / "markupsafe").mkdir()  # without an `__init__.py`: the library comes first
    kernels.fork(request_).kill()
    (request_.directory / "markupsafe" / "__init__.py").touch()
    with pytest.raises(NoFork, match="directory has 'markupsafe', and a library of that name is used"):
        kernels.fork(request_)


def test_a_parent_that_died_is_replaced(kernels: WarmKernels, request_: KernelRequest) -> None:
    first = kernels.fork(request_)
    (parent,) = [child for child in psutil.Process().children() if child.pid == psutil.Process(first.pid).ppid()]
    parent.kill()
    parent.wait(10)
    assert first.exited.result(10) == -signal.SIGKILL
    second = kernels.fork(request_)
    assert psutil.Process(second.pid).ppid() != parent.pid


def test_exit_codes_are_told_as_they_are(kernels: WarmKernels, request_: KernelRequest) -> None:
    kernel = kernels.fork(request_)
    assert kernel.poll() is None
    kernel.kill()
    assert kernel.wait(10) == -signal.SIGKILL
    kernel.send_signal(signal.SIGTERM)  # its number may be another process's by now: nothing is sent


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_parent_and_kernels_are_gone_with_their_owner(tmp_path: Path, number: int) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "c.json")], stdout=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    with owner:
        assert owner.stdout is not None
        left = [psutil.Process(int(pid)) for pid in owner.stdout.readline().split()]
        owner.send_signal(number)
    _gone, alive = psutil.wait_procs(left, timeout=10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_run_without_a_fork_says_why_and_succeeds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_notebook(place.settings.root / "notebooks" / "changed.ipynb", "print(1)")
    chosen = RunOptions(html=False, part_of=place.part(), kernels=place.kernels)
    assert run_notebook(path, place.settings, options=chosen).status is RunStatus.FINISHED
    monkeypatch.setenv("CHANGED", "yes")
    outcome = run_notebook(path, place.settings, options=replace(chosen, part_of=place.part()))
    assert outcome.status is RunStatus.FINISHED
    started = place.started(outcome)
    assert started is not None
    assert (started["warm"], "CHANGED" in started["why_cold"]) == (False, True)


def test_a_library_that_shows_something_shows_it_in_each_run(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "loud_library.py").write_text("print('welcome to loud_library')")
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site-packages"))
    outcomes = [place.run("warm", "import loud_library, yaml") for _ in range(2)]
    assert [texts(outcome)[0] for outcome in outcomes] == ["welcome to loud_library\n"] * 2
    started = place.started(outcomes[1])
    assert started is not None
    assert started["ahead"] == ["import yaml"]
    assert "welcome to loud_library" in started["not_ahead"]["import loud_library"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_threads_share_one_parent(place: Place) -> None:
    path = write_notebook(
        place.settings.root / "notebooks" / "side_by_side.ipynb", "import os, jinja2\nprint(os.getppid())"
    )
    chosen = RunOptions(html=False, kernels=place.kernels)

    def run(_number: int) -> RunOutcome:
        return run_notebook(path, place.settings, options=replace(chosen, part_of=place.part()))

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, range(4)))
    assert [outcome.status for outcome in outcomes] == [RunStatus.FINISHED] * 4
    assert len({texts(outcome)[0] for outcome in outcomes}) == 1
    gc.collect()  # event loops that jupyter_client leaves open in threads


def test_nothing_is_left_when_it_is_closed(request_: KernelRequest) -> None:
    with WarmKernels() as kernels:
        kernel = kernels.fork(request_)
        parent = psutil.Process(psutil.Process(kernel.pid).ppid())
    deadline = time.monotonic() + 10
    while parent.is_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not parent.is_running()


@pytest.fixture
def ahead() -> Iterator[WarmKernels]:
    with WarmKernels(ahead=True) as made:
        yield made


def waited(kernels: WarmKernels, request: KernelRequest) -> bool:
    """Whether the kernel of a run is the one that waited: only those choose their address."""
    kernel = kernels.fork(request)
    kernel.kill()
    kernel.wait(10)
    return kernel.connection is not None


def parent_of(kernels: WarmKernels) -> psutil.Process:
    (kept,) = kernels._kept.values()
    assert kept.parent is not None
    return psutil.Process(kept.parent.process.pid)


def waiting_of(kernels: WarmKernels) -> psutil.Process:
    (kept,) = kernels._kept.values()
    assert kept.parent is not None
    assert kept.parent._waiting is not None
    return psutil.Process(kept.parent._waiting.process.result(10).pid)


def test_a_kernel_waits_for_the_next_run_and_for_no_other(ahead: WarmKernels, request_: KernelRequest) -> None:
    anywhere = replace(request_, any_address=True)
    assert [waited(ahead, one) for one in (anywhere, anywhere, request_, anywhere)] == [False, True, False, True]
    other = replace(anywhere, command=[*anywhere.command, "--IPKernelApp.log_level=50"])
    assert [waited(ahead, one) for one in (other, anywhere, other)] == [False, True, True]


def test_a_kernel_that_died_while_it_waited_is_replaced(ahead: WarmKernels, request_: KernelRequest) -> None:
    anywhere = replace(request_, any_address=True)
    assert not waited(ahead, anywhere)
    waiting = waiting_of(ahead)
    waiting.kill()
    psutil.wait_procs([waiting], timeout=10)
    assert [waited(ahead, anywhere) for _ in range(2)] == [False, True]


def test_a_kernel_that_waits_sees_what_came_into_its_directory(ahead: WarmKernels, request_: KernelRequest) -> None:
    anywhere = replace(request_, any_address=True)
    assert not waited(ahead, anywhere)
    (request_.directory / "markupsafe.py").touch()
    with pytest.raises(NoFork, match=r"directory has 'markupsafe\.py', and a library of that name is used"):
        ahead.fork(anywhere)


@pytest.mark.parametrize("busy", [False, True])
def test_a_parent_that_is_let_go_takes_along_the_kernel_that_waits(
    ahead: WarmKernels, request_: KernelRequest, busy: bool
) -> None:
    anywhere = replace(request_, any_address=True)
    at_work = ahead.fork(anywhere)
    if not busy:
        at_work.kill()
        at_work.wait(10)
    old = parent_of(ahead)
    waiting = waiting_of(ahead)
    changed = replace(anywhere, environment={**anywhere.environment, "OMP_NUM_THREADS": "3"})
    with pytest.raises(NoFork):
        ahead.fork(changed)
    assert not waited(ahead, changed)
    gone = [waiting] if busy else [waiting, old]
    _gone, alive = psutil.wait_procs(gone, timeout=10)
    assert [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert (at_work.poll() is None) is busy
