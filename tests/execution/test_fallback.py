from __future__ import annotations

from typing import Any

import pytest

from p2p.execution import fallback_result, unmet

INPUTS = {"month": 3, "shop": "a"}


@pytest.mark.parametrize(
    ("fallback", "result"),
    [
        (lambda: 1, 1),
        (lambda shop: shop, "a"),
        (lambda shop, month=0, other=5: (shop, month, other), ("a", 3, 5)),
        (lambda *, month: month, 3),
        (lambda **all_of_them: all_of_them, INPUTS),
        (lambda x, y: (x, y), (3, "a")),
        (list, []),
        (dict, {}),
        (None, None),
        ({"EUR": 1}, {"EUR": 1}),
    ],
)
def test_a_function_takes_inputs_by_name_or_all_in_order_and_a_value_is_itself(fallback: Any, result: Any) -> None:
    assert fallback_result(fallback, INPUTS) == result


def test_a_value_is_given_as_a_copy_where_it_can_be_copied() -> None:
    value = {"rows": [1]}
    fallback_result(value, {})["rows"].append(2)
    assert value == {"rows": [1]}
    lines = (n for n in range(3))
    assert fallback_result(lines, {}) is lines


def test_the_parameters_that_no_input_meets_are_named() -> None:
    assert unmet(lambda shop, year, *rest, other=1, **more: 0, INPUTS) == ["year"]
    assert unmet(7, INPUTS) == unmet(dict, INPUTS) == []
