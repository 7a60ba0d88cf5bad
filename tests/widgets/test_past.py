"""Past runs as the panel lists them: the newest are told before the others are read, and then all is as it ever was."""

from __future__ import annotations

import itertools
import queue
import shutil
import threading
from typing import Any

import pytest

from p2p.settings import Settings
from p2p.tracking.journal import Journal
from p2p.widgets.past import PAGE, PastRuns

RUNS = 140
ASKED: list[dict[str, Any]] = [
    {}, {"page": 1}, {"page": 99}, {"down": False}, {"sort": "params:n", "down": False}, {"sort": "metrics:score"},
    {"sort": "status", "page": 2}, {"status": "FAILED"}, {"text": "late"}, {"text": '"n": 13'}, {"text": "nobody"},
]  # fmt: skip


def told(settings: Settings, number: int) -> str:
    """A run's journal as its driver writes it; gives its key."""
    key = f"20261128T10{number // 60:02}{number % 60:02}.000000-{number:08x}"
    journal = Journal(settings.runs / key)
    journal.append("run_opened", format=1, name="tiny", run_kind="notebook", source="notebooks/tiny.ipynb",
                   params={"n": number}, tags={}, parent="", version=None)  # fmt: skip
    journal.append("mlflow_run", run_id=f"{number:032x}", experiment="1")
    journal.append("logged", metrics=[{"key": "score", "value": (number * 37) % RUNS}])
    failed = {"status": "FAILED", "failed_step": "load", "error": "too late"} if number % 7 == 0 else {}
    journal.append("run_finished", **{"status": "FINISHED", **failed})
    journal.close()
    return key


@pytest.fixture
def keys(settings: Settings) -> list[str]:
    return [told(settings, number) for number in range(RUNS)]


def slowly(settings: Settings) -> PastRuns:
    """Each run takes 5 ms to read."""
    return PastRuns(settings, "tiny", clock=(number * 0.005 for number in itertools.count(1)).__next__)


def test_the_newest_are_told_before_the_others_are_read(settings: Settings, keys: list[str]) -> None:
    soon = slowly(settings).page({"soon": True})
    assert not soon["whole"]
    assert PAGE <= soon["total"] < RUNS
    assert [row["key"] for row in soon["rows"]] == keys[::-1][:PAGE]
    assert len([*settings.index.glob("summaries/*")]) > 0
    whole = PastRuns(settings, "tiny").page({})
    assert whole["whole"]
    assert (whole["total"], whole["rows"]) == (RUNS, soon["rows"])


def test_a_filter_is_answered_soon_too_and_says_that_there_may_be_more(settings: Settings, keys: list[str]) -> None:
    soon = slowly(settings).page({"soon": True, "status": "FAILED"})
    whole = slowly(settings).page({"status": "FAILED"})
    assert not soon["whole"]
    assert 0 < soon["total"] < whole["total"] == RUNS // 7
    assert whole["rows"][: soon["total"]] == soon["rows"]


@pytest.mark.parametrize("asked", [{"sort": "params:n"}, {"down": False}, {"page": 1}])
def test_what_only_all_runs_can_tell_waits_for_them(settings: Settings, keys: list[str], asked: dict[str, Any]) -> None:
    answer = slowly(settings).page({"soon": True, **asked})
    assert answer["whole"]
    assert answer["total"] == RUNS


def test_while_somebody_reads_all_runs_the_newest_are_told_and_another_reading_waits(
    settings: Settings, keys: list[str]
) -> None:
    turn, heard = threading.Lock(), queue.SimpleQueue[Any]()
    with turn:
        asker = threading.Thread(target=lambda: heard.put(PastRuns(settings, "tiny", turn=turn).page({})), daemon=True)
        asker.start()
        assert PastRuns(settings, "tiny", turn=turn).page({"soon": True})["total"]
        assert heard.empty()
    assert heard.get(timeout=60)["total"] == RUNS


def test_few_runs_are_all_told_at_once(settings: Settings) -> None:
    for number in range(3):
        told(settings, number)
    answer = PastRuns(settings, "tiny").page({"soon": True})
    assert (answer["whole"], answer["total"], answer["pages"]) == (True, 3, 1)
    assert PastRuns(settings, "nobody").page({"soon": True})["whole"]


def test_filter_sort_compare_and_plot_are_the_same_whether_the_newest_were_told_first(
    settings: Settings, keys: list[str]
) -> None:
    def everything() -> list[Any]:
        runs = PastRuns(settings, "tiny")
        return [*map(runs.page, ASKED), runs.compared(keys[3], keys[-1]), runs.compared(keys[-1], keys[3]),
                runs.plotted("score", {"text": "late"})]  # fmt: skip

    before = everything()  # no journal was read before
    shutil.rmtree(settings.index)
    assert not slowly(settings).page({"soon": True})["whole"]
    after = everything()
    assert after == before
    assert everything() == before  # from what is kept
    assert before[4]["rows"][0]["params"]["n"] == "0"
    assert before[7]["total"] == before[8]["total"] == RUNS // 7
