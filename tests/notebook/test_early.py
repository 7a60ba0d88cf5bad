"""A kernel that was started early is the one in which the cells run, and is never left behind."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from jupyter_client.kernelspec import NoSuchKernel

from p2p.notebook.early import EarlyKernel, early_kernel
from p2p.secrets import Masker


def started(folder: Path, name: str = "python3") -> tuple[EarlyKernel, psutil.Process]:
    """A kernel that nobody has taken, after the block, and its process."""
    with early_kernel(name, os.environ, folder, Masker()) as kernel:
        process = psutil.Process(kernel.manager.provisioner.pid)
        assert process.cwd() == str(folder)
    return kernel, process


def test_a_kernel_that_nobody_takes_is_killed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    kernel, process = started(tmp_path)
    assert not process.is_running()
    assert not Path(kernel.manager.connection_file).exists()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(kernel.said.end)
    assert capfd.readouterr().err == ""


def test_whoever_takes_it_ends_it(tmp_path: Path) -> None:
    with early_kernel("python3", os.environ, tmp_path, Masker()) as kernel:
        manager = kernel.take()
        process = psutil.Process(manager.provisioner.pid)
    assert process.is_running()
    process.kill()
    manager.provisioner.process.wait(10)
    with kernel.said:
        pass


def test_a_kernel_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchKernel, match="nothing-like-it"):
        started(tmp_path, "nothing-like-it")
