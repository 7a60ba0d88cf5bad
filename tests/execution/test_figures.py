from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from p2p.execution import Services, Work, run_step
from p2p.policy import Policy


@pytest.fixture
def plt(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.close("all")
    # An inline backend's `show` closes what it has shown.
    monkeypatch.setattr(pyplot, "show", lambda *_a, **_k: pyplot.close("all"))
    yield pyplot
    pyplot.close("all")


@pytest.fixture
def module(services: Services, tmp_path: Path) -> Services:
    return dataclasses.replace(services, directory=tmp_path / "run")


@pytest.fixture
def notebook(module: Services) -> Services:
    return dataclasses.replace(module, keep_figures=True)


def draw(services: Services, body: Any, **options: Any) -> None:
    run_step(Work(name="plot", body=lambda: body() or {}, **options), services)


def saved(services: Services) -> list[str]:
    assert services.directory is not None
    return sorted(p.name for p in (services.directory / "figures").glob("*"))


@pytest.mark.parametrize("keep", [False, True], ids=["module", "notebook"])
def test_a_figure_that_is_still_open_at_the_end_is_saved(module: Services, events: Any, plt: Any, keep: bool) -> None:
    run = dataclasses.replace(module, keep_figures=keep)
    draw(run, lambda: plt.plot([1, 2]) and None)
    assert saved(run) == ["plot-1.png"]
    assert [(e["step"], e["path"], e["folder"]) for e in events.of("artifact")] == [
        ("plot", "figures/plot-1.png", "figures")
    ]
    assert plt.get_fignums() == ([1] if keep else [])


@pytest.mark.parametrize("keep", [False, True], ids=["module", "notebook"])
def test_figures_that_are_shown_are_saved_before_they_are_closed(module: Services, plt: Any, keep: bool) -> None:
    def body() -> None:
        for _ in range(2):
            plt.figure()
            plt.plot([1, 2])
            plt.show()

    run = dataclasses.replace(module, keep_figures=keep)
    draw(run, body)
    assert saved(run) == ["plot-1.png", "plot-2.png"]


def test_a_figure_of_before_the_step_is_neither_saved_nor_closed(module: Services, plt: Any) -> None:
    plt.figure()
    draw(module, lambda: None)
    assert saved(module) == []
    assert plt.get_fignums() == [1]


def test_show_is_put_back_even_when_the_step_fails(module: Services, plt: Any) -> None:
    show = plt.show
    with pytest.raises(ZeroDivisionError):
        draw(module, lambda: 1 / 0)
    assert plt.show is show


def test_what_a_failing_step_has_shown_is_kept(module: Services, events: Any, plt: Any) -> None:
    def body() -> None:
        plt.plot([1, 2])
        plt.show()
        raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        draw(module, body)
    assert saved(module) == ["plot-1.png"]
    assert len(events.of("artifact")) == 1


def test_a_failing_step_of_a_module_leaves_no_figure_open(module: Services, plt: Any) -> None:
    def body() -> None:
        plt.plot([1, 2])
        raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        draw(module, body)
    assert plt.get_fignums() == []


def test_a_figure_drawn_by_a_step_within_the_step_is_saved_once(notebook: Services, plt: Any) -> None:
    def outer() -> None:
        run_step(Work(name="inner", body=lambda: {"line": len(plt.plot([1, 2]))}), notebook)

    draw(notebook, outer)
    assert saved(notebook) == ["inner-1.png"]


def test_a_step_without_a_run_touches_no_figure(services: Services, plt: Any) -> None:
    draw(services, lambda: plt.plot([1]) and None)
    assert plt.get_fignums() == [1]


def test_each_attempt_of_a_module_starts_without_the_figures_of_the_one_before(module: Services, plt: Any) -> None:
    seen: list[list[int]] = []

    def body() -> None:
        seen.append(plt.get_fignums())
        plt.figure()
        if len(seen) == 1:
            raise ValueError("again")

    draw(module, body, policy=Policy(retries=1))
    assert seen == [[], []]
    assert saved(module) == ["plot-1.png"]
