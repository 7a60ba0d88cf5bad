"""What p2p is measured by runs, at a small size: figures are told only of right results."""

from __future__ import annotations

import pytest

from benchmarks.speed.work import (
    cached_p2p,
    chain_p2p,
    dataset_p2p,
    digesting,
    mapped_p2p,
    memory,
    napping,
    passed_on,
)
from benchmarks.speed.work.timing import Spent, expect, median, per_step
from p2p.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.mark.soak
def test_a_chain_is_run_new_and_known(settings: Settings) -> None:
    figures = chain_p2p.measure(3, settings, alone=1)
    names = {"alone", "new", "known"}
    measured = names | {"new_whole", "known_whole"}
    assert set(figures) == measured | {f"{name}_cpu" for name in measured} | {"new_loop", "known_loop"}
    assert 0 < figures["new_loop"] < figures["alone"]


@pytest.mark.soak
def test_three_steps_are_kept(settings: Settings) -> None:
    figures = cached_p2p.measure(16_000, "cold", settings)
    assert 0 < figures["loop"] < figures["run"]
    with pytest.raises(SystemExit, match="a wrong result"):  # steps that are found are not what `cold` measures
        cached_p2p.measure(16_000, "cold", settings)


@pytest.mark.soak
def test_naps_are_not_the_only_thing_that_takes_time(settings: Settings) -> None:
    figures = napping.measure(1, settings)
    assert 0 < figures["loop"] < figures["run"] < 1
    assert napping.share(2.0, 20) == 0.5


def test_a_frame_gets_its_columns_through_p2p_as_in_plain_python(settings: Settings) -> None:
    assert memory.by_p2p(16_000) == memory.plain(16_000) == (100, 24)


def test_a_frame_is_passed_on_by_p2p_as_in_plain_python(settings: Settings) -> None:
    assert passed_on.by_p2p("floats", 16_000) == passed_on.plain("floats", 16_000) == (100, 21)
    made = passed_on.made("texts", 1_000)
    assert made.shape == (10, 4)
    assert all(str(kind) == "str" for kind in made.dtypes)


def test_a_frame_is_told_to_mlflow_as_a_dataset(settings: Settings) -> None:
    figures = dataset_p2p.measure("mixed", 20, settings)
    assert figures["whole"] == figures["caller"] + figures["feeder"]


@pytest.mark.parametrize("kind", ["floats", "texts", "objects"])
def test_digests_see_what_a_value_is_and_payloads_are_what_they_are_said_to_be(kind: str) -> None:
    value, nbytes = digesting.payload(kind, 1_600)
    assert nbytes == {"floats": 1_600, "texts": 1_600 * 17, "objects": 1_600 * 17}[kind]
    other = value.copy()
    other.iloc[-1] = other.iloc[0]
    for digest in digesting.DIGESTS.values():
        assert digest(value) == digest(value.copy()) != digest(other)


@pytest.mark.soak
def test_tasks_are_mapped(settings: Settings) -> None:
    assert mapped_p2p.measure(3, settings)["loop"] > 0


def test_a_step_costs_what_a_chain_takes_beyond_one_step() -> None:
    runs: list[int] = []

    def prepared(steps: int) -> object:
        return lambda: runs.append(steps) or steps

    assert set(per_step(prepared, 5).told("step")) == {"step", "step_cpu"}  # type: ignore[arg-type]  # it gives what runs
    assert (runs[0], runs[-1]) == (1, 5)
    with pytest.raises(SystemExit, match="a wrong result"):
        per_step(lambda steps: lambda: 4, 5)


def test_processor_time_is_reckoned_as_the_clocks_is() -> None:
    assert (Spent(9.0, 5.0) - Spent(1.0, 2.0)) / 2 == Spent(4.0, 1.5)
    assert Spent(1.0, 2.0) + Spent(3.0, 4.0) == Spent(4.0, 6.0)
    assert median([Spent(1.0, 9.0), Spent(2.0, 7.0), Spent(5.0, 8.0)]) == Spent(2.0, 8.0)


def test_a_wrong_result_ends_a_measurement() -> None:
    with pytest.raises(SystemExit, match=r"a wrong result: 3, not 4"):
        expect(3, 4)
