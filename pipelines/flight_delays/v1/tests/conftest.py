"""The tests run where the version was verified; plain MLflow logs to a store of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2p import testing


@pytest.fixture(autouse=True, scope="module")
def as_verified() -> Iterator[None]:
    with testing.isolated(), testing.as_verified(Path(__file__).parent.parent):
        yield
