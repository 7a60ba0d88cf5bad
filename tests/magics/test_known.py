"""What is known of a value may only be used while nothing can have changed it."""

from __future__ import annotations

from p2p.execution import Outcome
from p2p.magics.known import KnownValues
from p2p.store import describe


def test_a_value_is_known_until_its_name_stands_for_another() -> None:
    known, rows = KnownValues(), [1]
    known.remember(Outcome({"rows": rows}, {"rows": describe(rows)}, 1))
    assert known.refs({"rows": rows}) == {"rows": describe([1])}
    assert known.refs({"rows": [1]}) == {}


def test_a_value_that_other_code_may_have_changed_is_not_known_any_more() -> None:
    known, rows = KnownValues(), [1]
    known.remember(Outcome({"rows": rows}, {"rows": describe(rows)}, 1))
    known.doubt()
    assert known.refs({"rows": rows}) == {}
    assert list(known.names()) == ["rows"]


def test_where_a_step_changed_an_input_what_may_be_the_same_object_is_not_known_any_more() -> None:
    known, rows = KnownValues(), [1]
    known.remember(Outcome({"left": rows, "right": rows}, {"left": describe(rows), "right": describe(rows)}, 1))
    rows.append(2)
    known.remember(Outcome({}, {}, 1, changed={"left": describe(rows)}))
    assert known.refs({"left": rows, "right": rows}) == {"left": describe([1, 2])}
