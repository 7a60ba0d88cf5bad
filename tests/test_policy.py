from __future__ import annotations

import pickle
from typing import Any

import pytest

from p2p import Policy
from p2p.errors import StepTimeout
from p2p.policy import Named


class TooSlow(OSError):
    """Like a class that a notebook defines."""


def test_the_defaults_try_once_and_set_no_limit() -> None:
    policy = Policy()
    assert (policy.retries, policy.timeout, policy.give_up, policy.goes_on, policy.cache) == (
        0,
        None,
        None,
        False,
        True,
    )


def test_the_wait_doubles_after_each_failed_attempt_up_to_the_longest() -> None:
    assert [Policy(backoff=0.5).delay(n) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert [Policy(max_delay=3).delay(n) for n in (1, 2, 3, 5000)] == [1, 2, 3, 3]
    assert Policy(backoff=400).delay(3) == 400


def test_jitter_shortens_a_wait_by_at_most_its_share() -> None:
    assert [Policy(backoff=10, jitter=0.2).delay(1, chance) for chance in (0, 0.5, 1)] == [10, 9, 8]


@pytest.mark.parametrize(
    "options",
    [
        {"retries": -1}, {"backoff": -0.1}, {"backoff": float("nan")}, {"max_delay": -1}, {"jitter": 1.1},
        {"timeout": 0},
        {"timeout": -1}, {"timeout": float("inf")}, {"give_up": 0}, {"retry_on": ()}, {"retry_on": "not a name"},
        {"retry_on": KeyboardInterrupt}, {"retry_on": "SystemExit"}, {"retry_on": "len"},
        {"files": ("",)}, {"files": (3,)},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Policy(**options)


@pytest.mark.parametrize("options", [
    {"retries": 2, "timeout": 60}, {"retry_on": (OSError, "requests.Timeout")}, {"fallback": None}, {"fallback": [1]},
    {"cache": False, "files": "a.csv"}, {},
])  # fmt: skip
def test_what_differs_from_the_defaults_rebuilds_the_policy(options: dict[str, Any]) -> None:
    policy = Policy(**options)
    assert set(policy.changed()) == set(options)
    assert Policy(**policy.changed()) == policy == pickle.loads(pickle.dumps(policy))
    assert isinstance(hash(policy), int)


@pytest.mark.parametrize(
    ("names", "error", "covered"),
    [
        ("Exception", ValueError(), True),
        (OSError, TooSlow(), True),
        ("ConnectionError", ConnectionResetError(), True),
        ("ConnectionError", TimeoutError(), False),
        (("KeyError", "TooSlow"), TooSlow(), True),
        ("TooFast", TooSlow(), False),
        ("json.JSONDecodeError", __import__("json").JSONDecodeError("", "", 0), True),
        ("json.decoder.JSONDecodeError", __import__("json").JSONDecodeError("", "", 0), True),
        ("not_loaded.JSONDecodeError", __import__("json").JSONDecodeError("", "", 0), False),
        ("KeyError", StepTimeout("load", 1), True),
    ],
)
def test_an_exception_is_covered_by_its_name_or_that_of_a_base_class(
    names: Any, error: Exception, covered: bool
) -> None:
    assert Policy(retry_on=names).covers(error) is covered


def test_a_builtin_s_name_does_not_cover_another_class_of_that_name() -> None:
    other = type("ConnectionError", (Exception,), {"__module__": "elsewhere"})
    assert not Policy(retry_on="ConnectionError").covers(other())
    assert Policy(retry_on="ConnectionError").within({"ConnectionError": other}).covers(other())


def test_names_stand_for_what_they_stand_for_in_a_namespace() -> None:
    policy = Policy(retry_on="err.JSONDecodeError", fallback=Named("last"))
    meant = policy.within({"err": __import__("json"), "last": 7})
    assert meant.fallback == 7
    assert meant.retry_on == ("json.decoder.JSONDecodeError",)
    with pytest.raises(KeyError):
        policy.within({})
