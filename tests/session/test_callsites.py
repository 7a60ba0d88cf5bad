from __future__ import annotations

from p2p.session import CallSites, call_site, use_call_sites

TRAIN = ["train"]


def names(sites: CallSites, count: int = 1) -> list[str]:
    return [sites.next_call("train").name for _ in range(count)]


def test_outside_a_notebook_a_call_is_named_after_its_function() -> None:
    site = call_site("train")
    assert (site.name, site.call) == ("train", None)


def test_the_second_call_is_another_step_whether_in_the_same_cell_or_a_later_one() -> None:
    sites = CallSites()
    sites.enter_cell("a", "m = train(x)\nn = train(y)", TRAIN)
    assert names(sites, 2) == ["train", "train_2"]
    sites.enter_cell("b", "k = train(z)", TRAIN)
    assert names(sites) == ["train_3"]


def test_running_a_cell_again_is_the_same_step_again() -> None:
    sites = CallSites()
    for _ in range(2):
        sites.enter_cell("a", "m = train(x)", TRAIN)
        assert names(sites) == ["train"]
        sites.enter_cell("b", "n = train(y)", TRAIN)
        assert names(sites) == ["train_2"]


def test_a_plain_assignment_names_inputs_and_outputs() -> None:
    sites = CallSites()
    sites.enter_cell("a", "model, scores = train(tidy, test_share)", TRAIN)
    call = sites.next_call("train").call
    assert call is not None
    assert call.targets == ("model", "scores")
    assert call.argument_names[0] == "tidy"


def test_a_call_in_a_loop_has_no_names_of_its_own() -> None:
    sites = CallSites()
    sites.enter_cell("a", "for x in xs:\n    m = train(x)", TRAIN)
    assert sites.next_call("train").call is None


def test_a_cell_that_does_not_parse_is_left_to_raise_its_own_error() -> None:
    sites = CallSites()
    sites.enter_cell("a", "m = train(", TRAIN)
    assert names(sites) == ["train"]


def test_sites_hold_only_in_their_block() -> None:
    sites = CallSites()
    with use_call_sites(sites):
        call_site("train")
        assert call_site("train").name == "train_2"
    assert call_site("train").name == "train"
