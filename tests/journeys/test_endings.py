"""Endings that are no success, and that other tests do not see: some of those of the soak test."""

from __future__ import annotations

import pytest

from p2p.settings import Settings
from tests.endings import ENDINGS, Trial

BY_NAME = {ending.name: ending for ending in ENDINGS}


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("os_exit", "module"), ("sigint", "dask"),
        pytest.param("memory_limit", "module", marks=pytest.mark.soak),
        pytest.param("timeout_in_c", "module", marks=pytest.mark.soak),
        pytest.param("timeout_in_c", "papermill", marks=pytest.mark.soak),
        pytest.param("timeout_in_c", "dask", marks=pytest.mark.soak),
    ],
)  # fmt: skip
def test_an_ending_is_told_as_what_it_was(settings: Settings, name: str, way: str) -> None:
    assert Trial(settings, BY_NAME[name], way).run().wrong == []
