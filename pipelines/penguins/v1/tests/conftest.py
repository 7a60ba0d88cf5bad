"""The tests run where the version was verified; plain MLflow logs to a store of their own."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from p2p import testing

VERSION = Path(__file__).parent.parent

with testing.as_verified(VERSION):  # where the files lie that it may read when it is loaded
    import_module("pipelines.penguins.v1.pipeline")


@pytest.fixture(autouse=True, scope="module")
def as_verified() -> Iterator[None]:
    with testing.isolated(), testing.as_verified(VERSION):
        yield


@pytest.fixture(autouse=True)
def as_found() -> Iterator[None]:
    """What a step sets for the whole process, such as a style of plots, does not reach the next test."""
    with testing.preferences_kept():
        yield
