from __future__ import annotations

from p2p.runners.sizing import Sizing


def learned(items: int, seconds: float, besides: float = 0.0, nbytes: int = 0) -> Sizing:
    sizing = Sizing()
    sizing.learn(items, seconds=seconds, besides=besides, nbytes=nbytes)
    return sizing


def test_nothing_is_known_before_the_first_item_so_one_is_tried() -> None:
    assert Sizing().size(1000, 1) == 1


def test_short_items_go_several_at_once_and_long_ones_alone() -> None:
    assert learned(100, 0.1).size(10**6, 1) == 100
    assert learned(1, 5.0).size(10**6, 1) == 1


def test_more_go_where_much_is_to_be_done_besides() -> None:
    assert learned(100, 0.1, besides=0.05).size(10**6, 1) == 500


def test_a_chunk_is_not_much_larger_than_what_was_tried() -> None:
    assert learned(1, 0.0).size(10**6, 1) == 10


def test_large_items_go_few_at_once() -> None:
    assert learned(10, 0.001, nbytes=100_000_000).size(10**6, 1) == 3


def test_at_the_end_every_thread_gets_its_part() -> None:
    assert learned(100, 0.1).size(40, 2) == 10
