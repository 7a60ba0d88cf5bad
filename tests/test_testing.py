"""What generated tests stand on, held against versions made by hand: the same machine, and another one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from p2p import Pipeline, Task, testing
from p2p.manifest import Manifest
from p2p.store import MemoryStore, encode, save_file, save_folder
from p2p.testing import assert_gives, differences, recorded
from p2p.tracking.facts import processor

GIVEN = {"third": 1 / 3, "rows": np.array([1.0, 2.0]), "label": "a"}


class Params(BaseModel):
    pass


def nearly(third: float = 1 / 3, rows: Any = (1.0, 2.0), label: str = "a") -> Pipeline:
    def give() -> tuple[float, Any, str]:
        return third, np.array(rows), label

    return Pipeline(name="p", version=1, params=Params, tasks=[Task(give, outputs=list(GIVEN))])


@pytest.fixture(params=["here", "elsewhere", "unknown"])
def where(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def version(where: str, tmp_path: Path) -> Path:
    """A version whose values are those of `nearly`; but for `rows`, they are kept beside its tests."""
    store = MemoryStore()
    refs = {name: store.put(value) for name, value in GIVEN.items()}
    outputs = {n: {"digest": ref.digest, "type": ref.type, "verified": "equal"} for n, ref in refs.items()}
    known = {"here": {"processor": processor()}, "elsewhere": {"processor": "z80"}, "unknown": {}}
    manifest = Manifest(
        pipeline="p", version=1, notebook="", notebook_digest="", git_commit="", recorded_run="", verified_run="",
        params={}, change="first", changes=[], interface={}, files={}, environment=known[where], tolerance=1e-12,
        steps=[{"name": "give", "outputs": outputs}],
    )  # fmt: skip
    (tmp_path / "manifest.json").write_text(manifest.text())
    kept = {f"give.{name}": ref for name, ref in refs.items() if name != "rows"}
    save_folder(kept, store, tmp_path / "tests" / "data" / "whole", room=1_000)
    return tmp_path


def test_what_has_the_recorded_digests_is_equal(version: Path) -> None:
    assert differences(nearly(), version) == []


def test_within_the_version_s_tolerance_a_number_may_be_another(version: Path) -> None:
    assert differences(nearly(third=1 / 3 + 1e-14), version) == []


def test_on_another_processor_a_millionth_is_no_difference(version: Path, where: str) -> None:
    found = differences(nearly(third=1 / 3 + 1e-8), version)
    assert bool(found) is (where == "here")
    assert not found or found[0].startswith("step 'give', value 'third': 0.33333")


@pytest.mark.parametrize("wrong", [{"third": 0.34}, {"label": "b"}])
def test_a_wrong_value_is_one_on_any_processor(version: Path, wrong: dict[str, Any]) -> None:
    assert [line.partition(":")[0] for line in differences(nearly(**wrong), version)] == [
        f"step 'give', value '{next(iter(wrong))}'"
    ]


def test_what_was_not_kept_is_named_where_nobody_can_tell(version: Path, where: str) -> None:
    if where == "here":
        assert len(differences(nearly(rows=(1.0, 3.0)), version)) == 1
        return
    with pytest.warns(UserWarning, match="not compared, as this is another processor .*: step 'give', value 'rows'$"):
        assert differences(nearly(rows=(1.0, 3.0)), version) == []


@pytest.fixture
def case(version: Path) -> testing.Case:
    directory = version / "tests" / "data" / "give"
    directory.mkdir(parents=True)
    picture = b"\x89PNG\r\n\x1a\n" + bytes(16)
    outputs = {"third": 1 / 3, "picture": picture}
    refs = {name: save_file(value, directory, f"out_{name}").as_dict() for name, value in outputs.items()}
    (directory / "case.json").write_text(json.dumps({"step": "give", "inputs": {}, "outputs": refs}))
    return recorded(directory)


def test_the_example_of_a_step_is_held_to_the_same_terms(case: testing.Case, where: str) -> None:
    assert_gives((1 / 3 + 1e-14, case.outputs["picture"]), case, ("third", "picture"))
    others = ((1 / 3 + 1e-8, case.outputs["picture"]), (1 / 3, case.outputs["picture"] + b"x"))
    for other in others:
        if where == "here":
            with pytest.raises(AssertionError, match="step 'give', value"):
                assert_gives(other, case, ("third", "picture"))
        else:
            assert_gives(other, case, ("third", "picture"))
    with pytest.raises(AssertionError, match="third"):
        assert_gives((0.34, case.outputs["picture"]), case, ("third", "picture"))


@pytest.fixture
def pyplot() -> Iterator[Any]:
    plt = pytest.importorskip("matplotlib.pyplot", reason="an extra")
    yield plt
    plt.close("all")


@pytest.mark.parametrize("where", ["here"], indirect=True)
def test_no_step_draws_into_a_figure_that_another_one_has_left_open(pyplot: Any, version: Path, case: Any) -> None:
    seen: list[list[int]] = []

    def give() -> tuple[float, Any, str]:
        seen.append(pyplot.get_fignums())
        pyplot.figure()
        return 1 / 3, np.array([1.0, 2.0]), "a"

    twice = [Task(give, outputs=list(GIVEN)), Task(give, outputs=["x", "y", "z"], name="again")]
    pyplot.figure()
    assert differences(Pipeline(name="p", version=1, params=Params, tasks=twice), version) == []
    assert seen == [[], []]
    pyplot.figure()
    recorded(version / "tests" / "data" / "give")
    assert pyplot.get_fignums() == []


def test_a_processor_has_a_name_and_it_stays() -> None:
    assert processor() == processor()
    assert len(processor().split()) > 1
    assert "numpy" in sys.modules


def test_a_folder_takes_the_smallest_values_while_there_is_room(tmp_path: Path) -> None:
    from p2p.store import load_folder

    store = MemoryStore()
    values = {"a": "x" * 60, "A": "y" * 10, "big": "z" * 500}
    save_folder({key: store.put(value) for key, value in values.items()}, store, tmp_path, room=300)
    assert dict(load_folder(tmp_path)) == {"a": values["a"], "A": values["A"]}
    assert dict(load_folder(tmp_path / "none")) == {}
    assert encode(values["big"])[0].nbytes > 300
