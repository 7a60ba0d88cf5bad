from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def machine_in_utc() -> Iterator[None]:
    """The clocks of the machine that cron goes by."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("p2p.scheduling.exports.cron.local_zone", lambda: "UTC")
        yield
