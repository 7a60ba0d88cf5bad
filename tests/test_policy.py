from __future__ import annotations

import pytest

from p2p import Policy


def test_the_defaults_try_once_without_a_limit() -> None:
    assert Policy() == Policy(retries=0, backoff=1.0, timeout=None)


def test_waits_double_from_attempt_to_attempt() -> None:
    assert [Policy(backoff=0.5).delay(n) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("options", [{"retries": -1}, {"backoff": -0.1}, {"timeout": 0}, {"timeout": -1}])
def test_values_that_make_no_sense_are_refused_by_name(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Policy(**options)  # type: ignore[arg-type]


def test_what_differs_from_the_defaults_rebuilds_the_policy() -> None:
    policy = Policy(retries=2, timeout=60)
    assert policy.changed() == {"retries": 2, "timeout": 60}
    assert Policy(**policy.changed()) == policy
    assert Policy().changed() == {}
