"""What the tqdm bars of a step say, with the real tqdm, written as people write it."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from p2p.execution import Call, Services, Tally, Work, bars, map_here, run_step
from p2p.policy import Policy
from p2p.progress import Progress


class Heard:
    """What was told of how far steps are."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str, float, float | None]] = []
        self.ended: list[str] = []

    def moved(self, execution: str, **data: Any) -> None:
        self.all.append((data["step"], data["description"], data["n"], data["total"]))

    def gone(self, execution: str) -> None:
        self.ended.append(execution)


class Broken(Heard):
    def moved(self, execution: str, **data: Any) -> None:
        raise OSError("no space left")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every word of a bar is told, however soon after the last."""
    monkeypatch.setattr(bars, "_APART", 0.0)


def ran(services: Services, body: Callable[[], Any], heard: Heard, name: str = "train") -> Any:
    outcome = run_step(Work(name=name, body=lambda: {"made": body()}), replace(services, moments=heard))
    return outcome.outputs["made"]


def test_the_outermost_bar_that_moves_is_told(services: Services, always: None) -> None:
    def body() -> None:
        from tqdm.auto import tqdm, trange

        for _ in trange(3, desc="epochs", mininterval=0):
            for _ in tqdm(range(2), desc="batches", leave=False, mininterval=0, file=io.StringIO()):
                pass

    heard = Heard()
    ran(services, body, heard)
    told = [(what, n) for _, what, n, _ in heard.all]
    assert told[0] == ("epochs", 0)
    assert ("batches", 1) in told[: told.index(("epochs", 1))], "while the first epoch lasts, its batches move"
    assert {what for what, _ in told[told.index(("epochs", 1)) :]} == {"epochs"}
    assert told[-1] == ("epochs", 3)
    assert len(heard.ended) == 1


def test_it_is_told_about_twice_a_second_and_the_last_word_counts(services: Services) -> None:
    def body() -> None:
        from tqdm import tqdm

        for _ in tqdm(range(2000), mininterval=0, desc="rows", file=io.StringIO()):
            pass

    heard = Heard()
    ran(services, body, heard)
    assert [n for _, _, n, _ in heard.all] == [0, 2000]


def test_each_step_hears_its_own_bars_a_thread_of_it_too(services: Services, always: None) -> None:
    from tqdm import tqdm

    def loop() -> None:
        list(tqdm(range(2), desc="parts", file=io.StringIO()))

    def in_a_thread() -> None:
        thread = threading.Thread(target=loop)
        thread.start()
        thread.join()

    heard = Heard()

    def outer() -> None:
        with tqdm(total=2, desc="outer", file=io.StringIO(), mininterval=0) as bar:
            bar.update()
            ran(services, loop, heard, "inner")
            bar.update()

    ran(services, outer, heard, "outer")
    assert {(step, what) for step, what, _, _ in heard.all} == {("outer", "outer"), ("inner", "parts")}
    ran(services, in_a_thread, heard, "threaded")
    assert ("threaded", "parts", 2, 2) in heard.all
    before = len(heard.all)
    loop()  # in no step
    assert len(heard.all) == before


def test_pandas_progress_apply_is_told(services: Services, always: None) -> None:
    def body() -> int:
        import pandas as pd
        from tqdm import tqdm

        tqdm.pandas(desc="applied", file=io.StringIO())
        return int(pd.Series(range(5)).progress_apply(lambda v: v * 2).sum())

    heard = Heard()
    assert ran(services, body, heard) == 20
    assert ("train", "applied", 5, 5) in heard.all


def test_what_fails_in_telling_fails_no_loop_and_changes_no_bar(services: Services, always: None) -> None:
    def body() -> str:
        from tqdm import tqdm

        shown = io.StringIO()
        for _ in tqdm(range(3), desc="rows", file=shown, mininterval=0, bar_format="{desc} {n}/{total}"):
            pass
        return shown.getvalue()

    with_it = ran(services, body, Broken())
    assert with_it == body()
    assert "rows 3/3" in with_it


def test_a_bar_that_was_left_open_does_not_hide_the_next(services: Services) -> None:
    from tqdm import tqdm

    heard: list[Progress] = []
    meter = bars.Meter(heard.append, clock=iter(range(100)).__next__)
    left, after = tqdm(total=2, file=io.StringIO()), tqdm(total=9, desc="after", file=io.StringIO())
    left.n, after.n = 2, 1
    for bar in (left, after):
        meter.moved(bar)
    assert heard[-1].text() == "after 1/9"
    for bar in (left, after):
        bar.close()


def test_items_that_take_a_while_are_counted_about_twice_a_second_and_bars_in_them_say_nothing() -> None:
    from tqdm import tqdm

    heard: list[Progress] = []
    ticks = iter(n / 10 for n in range(1000))
    meter = bars.Meter(heard.append, clock=ticks.__next__)
    done = meter.counting(12)
    bar = tqdm(total=3, file=io.StringIO())
    for number in range(1, 13):
        done(number)
        meter.moved(bar)
    meter.ended(bar)
    bar.close()
    said = [one.text() for one in heard]
    assert said[0] != "items 0/12"
    assert said[-1] == "items 12/12"
    assert {text.partition(" ")[0] for text in said} == {"items"}
    assert 2 <= len(said) <= 4
    assert all(one.rate for one in heard)


def test_items_that_are_done_at_once_cost_no_word(services: Services) -> None:
    heard = Heard()
    call = Call(lambda x: x, (None,), {})
    ran(services, lambda: map_here(call, range(100), Policy(), Tally("train"), services), heard)
    assert not heard.all
    failing = bars.Meter(Broken().moved, clock=iter(range(100)).__next__)  # type: ignore[arg-type]  # it raises anyway
    failing.counting(2)(1)


def test_tqdm_is_not_imported_for_that() -> None:
    code = (
        "import sys\n"
        "from p2p.execution import Services, Work, run_step\n"
        "from p2p.tracking.moment import Moments\n"
        "run_step(Work(name='s', body=dict), Services(moments=Moments()))\n"
        "sys.exit('tqdm' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
