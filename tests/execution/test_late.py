from __future__ import annotations

from typing import Any

import pytest

from p2p.execution.late import Late, Namespace, loaded, slot_of, to_check


class Source:
    """Gives a new list each time, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> list[int]:
        self.calls += 1
        return [self.calls]


def test_a_late_value_is_loaded_once_and_stays_the_same_object() -> None:
    source = Source()
    late = Late(source)
    assert (late.is_loaded, source.calls) == (False, 0)
    assert late.value() is late.value()
    assert (late.is_loaded, source.calls) == (True, 1)


def test_a_late_value_that_could_not_be_loaded_is_tried_again() -> None:
    answers: list[Any] = [ValueError("gone"), 5]

    def load() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    late = Late(load)
    with pytest.raises(ValueError, match="gone"):
        late.value()
    assert late.value() == 5


def test_whoever_asks_a_namespace_for_a_value_gets_the_value() -> None:
    values = Namespace({"a": Late(Source()), "b": 2})
    assert (values["a"], values["b"], dict(values)) == ([1], 2, {"a": [1], "b": 2})
    assert values == {"a": [1], "b": 2}


def test_passing_on_names_loads_nothing_and_keeps_one_object_one_object() -> None:
    source = Source()
    values = Namespace({"a": Late(source)})
    other = Namespace()
    other.take(values.only(["a"]))
    other.take({"same": values.slot("a"), "b": 1})
    assert source.calls == 0
    assert other["same"] is values["a"] is other["a"]
    assert (source.calls, other["b"]) == (1, 1)


def test_a_name_stands_for_what_it_was_given_last() -> None:
    values = Namespace({"a": Late(Source())})
    before = values.only(["a"])
    values["a"] = 7
    assert (values["a"], before["a"]) == (7, [1])
    del values["a"]
    assert "a" not in values


def test_the_slot_of_a_loaded_value_is_the_value() -> None:
    late = Late(Source())
    values = Namespace({"a": late})
    assert slot_of(values, "a") is late
    assert slot_of(values, "a") is not late.value()
    assert slot_of(values, "a") is late.value()
    assert slot_of({"a": 3}, "a") == 3


def test_all_is_loaded_at_once_where_that_is_asked() -> None:
    source = Source()
    loaded(Namespace({"a": Late(source), "b": 2}))
    assert source.calls == 1


def test_only_what_met_its_contract_and_is_not_loaded_is_not_checked_again() -> None:
    contract, alike = (list,), (list,)  # a contract counts as the object that it is
    late = Late(Source())
    late.met.append(contract)
    values = Namespace({"a": late, "b": 2})
    assert [*to_check(values, {"a": contract})] == ["b"]
    assert [*to_check(values, {"a": (list, int)})] == ["a", "b"]
    assert [*to_check(values, {})] == ["a", "b"]
    late.value()  # whoever has it may have changed it
    assert [*to_check(values, {"a": contract})] == ["a", "b"]
    assert alike == contract
    plain = {"a": 1}
    assert to_check(plain, {"a": contract}) is plain
