"""Where the steps of a graph are drawn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from p2p.widgets.layout import places


def test_a_chain_goes_from_left_to_right() -> None:
    assert places(["a", "b", "c"], [("a", "b"), ("b", "c")]) == {"a": (0, 0), "b": (1, 0), "c": (2, 0)}


def test_a_step_stands_right_of_the_last_that_it_needs() -> None:
    assert places(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])["c"] == (2, 0)


def test_what_nothing_joins_begins() -> None:
    assert {column for column, _ in places(["a", "b"], []).values()} == {0}
    assert places([], []) == {}


def test_lines_do_not_cross_where_they_need_not() -> None:
    found = places(["a", "b", "x", "y"], [("a", "y"), ("b", "x")])
    rows = {name: row for name, (_, row) in found.items()}
    assert (rows["a"] < rows["b"]) == (rows["y"] < rows["x"])


@given(st.data(), st.integers(1, 30))
def test_no_two_steps_share_a_place_and_all_lines_go_right(data: st.DataObject, count: int) -> None:
    names = [f"s{n}" for n in range(count)]
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    edges = [(names[a], names[b]) for a, b in data.draw(st.lists(pairs)) if a < b]
    found = places(names, edges)
    assert set(found) == set(names)
    assert len({*found.values()}) == count
    assert all(found[a][0] < found[b][0] for a, b in edges)
