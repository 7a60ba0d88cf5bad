"""What the steps log with plain MLflow goes to a store of its own while the tests run."""

from collections.abc import Iterator

import pytest

from p2p import testing


@pytest.fixture(autouse=True, scope="module")
def isolated_tracking() -> Iterator[None]:
    with testing.isolated():
        yield
