"""Whatever a value is, the other scheduler runs the very words that were meant."""

from __future__ import annotations

import ast
import sys
import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from p2p.errors import InputRefused
from p2p.scheduling.exports import TARGETS
from p2p.scheduling.exports.command import command_of
from p2p.scheduling.exports.python import literal
from tests.scheduling.exports.reading import (
    ENDS,
    READERS,
    order,
    text_of,
    texts,
    values_of_python,
    words,
    words_of_cron,
    write,
)
from tests.scheduling.exports.told import FIT_FOR_CRON, HOSTILE, schedule

GOLDEN = Path(__file__).parent / "golden"
FEW = settings(max_examples=40, deadline=None)
PLAIN = texts | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
fit = pytest.mark.parametrize("to", TARGETS)


def test_each_target_is_read_back_here() -> None:
    assert {*READERS} == {*TARGETS}


def test_the_command_is_p2p_run_with_words_that_no_option_can_be_taken_for() -> None:
    found = command_of(order(schedule("--json", target="-x.ipynb", params={"text": "--json"})))
    assert found == ["/venv/bin/python", "-m", "p2p", "run", "--param=text=--json", "--", "-x.ipynb"]


@fit
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_stays_a_value(to: str, text: str) -> None:
    if to == "cron" and text not in FIT_FOR_CRON:
        with pytest.raises(InputRefused, match="a crontab has no place"):
            write(to, schedule(text))
        return
    assert words(to, schedule(text)) == command_of(order(schedule(text)))


@fit
@FEW
@given(text=texts, target=texts)
@example(text="\\%", target="a")
@example(text="\\\\%", target="a")
@example(text="$\\{{ $'", target="a")
def test_any_value_and_target_stay_what_they_are(to: str, text: str, target: str) -> None:
    if to == "cron":
        assume(not any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in text + target))
        assume(len((text + target).encode()) < 100)
    asked = schedule(text, target=target)
    assert words(to, asked) == command_of(order(asked))


@fit
@FEW
@given(folder=texts)
def test_any_folder_is_what_it_is_or_is_refused(to: str, folder: str) -> None:
    folder = f"/{folder}"
    try:
        done = write(to, schedule(), folder=folder)
    except InputRefused:
        assert to in ("cron", "systemd", "github-actions")
        return
    found = text_of(done, ENDS.get(to, ""))
    if to in ("airflow", "prefect", "dagster"):
        assert values_of_python(found)["FOLDER"] == folder
    elif to == "kubernetes":
        (pod,) = yaml.safe_load(found)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        assert pod["workingDir"] == folder
    elif to == "systemd":
        assert f"WorkingDirectory={folder.replace('%', '%%')}" in found.split("\n")
    elif to == "github-actions":
        assert yaml.safe_load(found)["jobs"]["run"]["steps"][-1]["working-directory"] == folder
    else:
        words_of_cron(found)


def test_a_nul_and_half_a_character_are_refused() -> None:
    for text in ("a\0b", "\ud800"):
        with pytest.raises(InputRefused):
            command_of(order(schedule(text)))


@pytest.mark.parametrize("to", ["airflow", "dagster"])
def test_names_of_steps_are_literals_and_no_two_tasks_share_a_name(to: str) -> None:
    steps = ["{{ ds }}", "'); import os", "a", "__ds___", "日本", "日本2"]
    tasks = values_of_python(text_of(write(to, schedule(), steps=steps)))["TASKS"]
    assert [step for _name, step in tasks] == [*steps[:-1], ""]
    names = [name for name, _step in tasks]
    assert len({*names}) == len(names)
    assert all(name.isascii() and name.isidentifier() for name in names)


@FEW
@given(st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3)))
def test_a_literal_is_ascii_and_means_the_value(value: object) -> None:
    assert literal(value).isascii()
    assert ast.literal_eval(literal(value)) == value


@pytest.mark.parametrize("to", ["kubernetes", "github-actions"])
def test_yaml_has_neither_tags_nor_anchors_and_quotes_every_text(to: str) -> None:
    text = text_of(write(to, schedule("!!python/object:os.system [&a *a]")))
    events = [*yaml.parse(text)]
    assert not any(getattr(event, "anchor", None) for event in events)
    assert not any(getattr(event, "tag", None) for event in events)
    plain = {event.value for event in events if isinstance(event, yaml.ScalarEvent) and event.style is None}
    assert all(one.isdigit() or one in ("true", "false") for one in plain)


@pytest.mark.parametrize(("to", "options"), [
    *((to, {}) for to in TARGETS), ("airflow", {"steps": ["load", "train"]}), ("dagster", {"steps": ["load", "train"]}),
])  # fmt: skip
def test_golden(to: str, options: dict[str, list[str]]) -> None:
    asked = schedule("100 % of {{ ds }}", retries=2, timeout=600.0, alerts=("mailto://user:secret@example.org",))
    for name, text in write(to, asked, **options).files.items():
        path = GOLDEN / f"{to}{'-steps' if options else ''}-{name}.txt"
        text = text.replace(f'"{sys.version_info[0]}.{sys.version_info[1]}"', '"3.11"')
        assert text == path.read_text(encoding="utf-8")
        assert "secret" not in text
