from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2p.kernels import WarmKernels
from p2p.settings import Settings
from p2p.tracking.beside import Beside
from tests.kernels.place import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Iterator[Place]:
    """A project that the tests of a file share: its sidecar takes seconds to start."""
    settings = make_project(tmp_path_factory.mktemp("kernels"))
    beside = Beside(settings, lambda _text: None)
    with WarmKernels() as kernels, WarmKernels(ahead=True) as ahead:
        yield Place(settings, beside, kernels, ahead)
    beside.close()
