"""What the command line refuses: by name, with exit code 2, before a kernel starts or anything is written."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from p2p.settings import Settings
from tests.building import write_notebook
from tests.cli.conftest import Answer

P2P = Callable[..., Answer]
PARAMS = """
    from typing import Annotated
    from pydantic import Field

    month: Annotated[int, Field(ge=1, le=12)] = 1  # counted from January
    shop: str = ""
"""


@pytest.fixture
def path(project: Path) -> Path:
    return write_notebook(project / "notebooks" / "sales.ipynb", "%%step load\nrows = [month]", params=PARAMS)


@pytest.fixture
def untouched(settings: Settings) -> Callable[[], bool]:
    """Whether nothing was started or written: no run directory, no run in MLflow, no new file."""
    before = set(settings.root.rglob("*"))

    def check() -> bool:
        with contextlib.closing(sqlite3.connect(settings.tracking_uri.removeprefix("sqlite:///"))) as database:
            (runs,) = database.execute("select count(*) from runs").fetchone()
        return runs == 0 and not settings.runs.exists() and not (set(settings.root.rglob("*")) - before)

    return check


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["month=13"], ["month", "12", "13"]),
        (["month=0"], ["month", "1", "0"]),
        (["month=x"], ["month", "'x'"]),
        (["mnoth=2"], ["mnoth", "'month'"]),
        (["x=1;open('pwn.txt','w');y=1"], ["'x'"]),
        (["x=1;open('pwn.txt','w');y=1", "month=13", "mnoth=2"], ["3 problems", "'x'", "12", "mnoth"]),
        (["month"], ["month"]),
        (["__class__=1"], ["__class__"]),
    ],
)
def test_a_bad_parameter_is_named_before_anything_starts(
    p2p: P2P, path: Path, untouched: Callable[[], bool], arguments: list[str], says: list[str]
) -> None:
    options = [part for text in arguments for part in ("-p", text)]
    done = p2p("run", str(path), *options)
    assert done.code == 2
    assert [text for text in says if text not in done.err] == []
    assert done.out == ""
    assert untouched()


@pytest.mark.parametrize("words", ["run", "sweep -p n=1,2", "adopt", "adopt --write", "export", "params"])
def test_a_quarto_document_without_quarto_is_refused_with_its_cure(
    p2p: P2P, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    text = "---\njupyter: python3\n---\n\n```{python}\n#| tags: [parameters]\nn: int = 3\n```\n"
    path = project / "report.qmd"
    path.write_text(text, encoding="utf-8")
    before = set(project.rglob("*"))
    monkeypatch.setenv("PATH", str(tmp_path))  # also where Quarto is installed, it is not found
    command, *options = words.split()
    done = p2p(command, str(path), *options)
    assert done.code == 2
    says = ("Quarto Markdown", "Install Quarto", ".md or .py")
    assert [text for text in says if text not in done.err] == [], done.err
    assert (set(project.rglob("*")) - before, path.read_text(encoding="utf-8")) == (set(), text)


def test_a_refusal_is_one_json_document_where_that_was_asked_for(p2p: P2P, path: Path) -> None:
    done = p2p("run", str(path), "-p", "month=13", "-p", "mnoth=2", "--json")
    assert done.code == 2
    assert done.document["kind"] == "ParameterError"
    assert len(done.document["problems"]) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("month: 13", "12"), ("a: &a [1]\nmonth: *a", "line 1"), ("month: !!python/name:os.system", "tags"),
        ("[1, 2]", "mapping"), ("month: 1\nmonth: 2", "month"),
    ],
)  # fmt: skip
def test_a_bad_parameter_file_is_refused(
    p2p: P2P, project: Path, path: Path, untouched: Callable[[], bool], text: str, says: str
) -> None:
    file = project.parent / "params.yaml"
    file.write_text(text, encoding="utf-8")
    done = p2p("run", str(path), "-f", str(file))
    assert done.code == 2
    assert says in done.err
    assert untouched()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "notebooks/slaes.ipynb"], "Did you mean 'notebooks/sales.ipynb'?"),
        (["run", "sales"], "There is no pipeline 'sales'"),
        (["run", "sales@x"], "sales@N"),
        (["run", "../sales@1"], "There is no notebook"),
        (["export", "notebooks/nothing.ipynb"], "There is no notebook"),
        (["export", "notebooks/sales.ipynb", "--name", "../../evil"], "cannot be the name of a pipeline"),
        (["promote", "sales"], "sales@N"),
        (["promote", "sales@1"], "There is no pipeline 'sales'"),
        (["params", "nothing.ipynb"], "There is no notebook"),
    ],
)
def test_a_target_that_is_not_there_is_refused(
    p2p: P2P, path: Path, untouched: Callable[[], bool], arguments: list[str], says: str
) -> None:
    done = p2p(*arguments)
    assert done.code == 2
    assert says in done.err
    assert untouched()
    assert p2p(*arguments, "--json").document["error"]


def test_a_misspelt_option_is_a_usage_error(p2p: P2P, path: Path) -> None:
    done = p2p("run", str(path), "--parm", "month=1")
    assert done.code == 2
    assert "--parm" in done.err


def test_a_notebook_without_steps_is_not_exported(p2p: P2P, project: Path, untouched: Callable[[], bool]) -> None:
    plain = write_notebook(project / "notebooks" / "plain.ipynb", "x = 1")
    done = p2p("export", str(plain))
    assert done.code == 2
    assert "%%step" in done.err
    assert not (project / "pipelines").exists()


def test_parameters_are_shown_with_type_default_bounds_and_help(p2p: P2P, path: Path) -> None:
    month = next(p for p in p2p("params", str(path), "--json").document if p["name"] == "month")
    assert (month["default"], month["help"]) == (1, "counted from January")
    shown = p2p("params", str(path))
    assert shown.code == 0
    assert [word for word in ("month", "int", "12", "counted from January", "shop") if word not in shown.out] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["pull", "sales"], "does not say which version"),
        (["pull", "sales@1"], "no pipeline 'sales'"),
        (["diff", "sales@1", "sales"], "does not say which version"),
        (["diff", "sales@1", "sales@2"], "no pipeline 'sales'"),
        (["status", "--old", "long"], "--old is 'long'"),
    ],
)
def test_a_version_that_is_not_there_is_named(
    p2p: P2P, path: Path, untouched: Callable[[], bool], arguments: list[str], says: str
) -> None:
    answer = p2p(*arguments)
    assert answer.code == 2
    assert says in answer.err
    assert untouched()


def test_a_project_with_nothing_to_tell_says_so(p2p: P2P, project: Path) -> None:
    assert "no notebooks" in p2p("status").out
    assert p2p("status", "--json").document == []
