"""`%p2p` in a real shell: how the steps stand, running what is stale, marking, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

CELLS = [
    "%load_ext p2p", "month = 1", "def scale(x):\n    return [i * 2 for i in x]", "%%step load\nraw = [month]",
    "%%step clean\ntidy = scale(raw)", "%%step report\ntext = str(tidy)",
]  # fmt: skip
TAGS = {1: ["parameters"]}


def write(path: Path, cells: list[str]) -> None:
    v4 = nbformat.v4
    made = [v4.new_code_cell(s, metadata={"tags": TAGS.get(n, [])}) for n, s in enumerate(cells)]
    nbformat.write(v4.new_notebook(cells=made), path)


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The notebook's file, as JupyterLab names it to the kernel."""
    path = tmp_path / "flights.ipynb"
    write(path, CELLS)
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    return path


def test_vs_code_and_the_folder_that_the_classic_notebook_names(
    shell: Any, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", f"{tmp_path}/")
    monkeypatch.setenv("JPY_PARENT_PID", "0")  # no such server
    assert "Nobody tells which notebook this is" in shell.refused("%p2p params")
    monkeypatch.delenv("JPY_SESSION_NAME")
    shell.names["__vsc_ipynb_file__"] = str(notebook)
    shell.run("%p2p params")
    assert "month" in capfd.readouterr().out


def run_all(shell: Any, cells: list[str]) -> None:
    for number, source in enumerate(cells):
        shell.run(source, f"cell-{number}")


def states(shell: Any) -> dict[str, str]:
    return {one.step.name: one.state for one in shell.run("%p2p status").result.standings}


def test_the_steps_of_the_saved_notebook_stand_as_they_have_run(shell: Any, notebook: Path) -> None:
    assert states(shell) == {"load": "never", "clean": "never", "report": "never"}
    run_all(shell, CELLS[:5])
    assert states(shell) == {"load": "done", "clean": "done", "report": "never"}
    shown = shell.run("%p2p").result
    assert "flights.ipynb: 2 done, 1 has not run here" in repr(shown)
    assert "<td" in shown._repr_html_()


def test_an_edit_that_is_saved_makes_steps_stale_and_they_alone_run_again(shell: Any, notebook: Path) -> None:
    run_all(shell, CELLS)
    edited = [*CELLS[:4], "%%step clean\ntidy = scale(raw) + [9]", CELLS[5]]
    write(notebook, edited)
    assert states(shell) == {"load": "done", "clean": "stale", "report": "stale"}
    before = shell.run("%p2p status").result.standings[0].ran
    after = shell.run("%p2p run --stale").result
    assert {one.step.name: one.state for one in after.standings} == dict.fromkeys(["load", "clean", "report"], "done")
    assert shell.names["text"] == "[2, 9]"
    assert after.standings[0].ran is before


def test_an_edited_helper_is_run_before_the_steps_that_use_it(shell: Any, notebook: Path) -> None:
    run_all(shell, CELLS)
    write(notebook, [*CELLS[:2], "def scale(x):\n    return [i * 3 for i in x]", *CELLS[3:]])
    shell.run("%p2p run --stale")
    assert shell.names["text"] == "[3]"
    assert set(states(shell).values()) == {"done"}


def test_a_parameter_that_was_set_anew_makes_what_takes_it_stale(shell: Any, notebook: Path) -> None:
    run_all(shell, CELLS)
    shell.run("month = 4", "elsewhere")
    found = shell.run("%p2p status").result
    assert found.standings[0].why == ("you have given 'month' another value",)
    assert "you have given 'month' another value" in repr(found)


def test_running_stops_at_a_cell_that_fails(shell: Any, notebook: Path) -> None:
    run_all(shell, CELLS)
    write(notebook, [*CELLS[:4], "%%step clean\ntidy = scale(raw)\n1 / 0", CELLS[5]])
    after = shell.run("%p2p run --stale").result
    assert [one.state for one in after.standings] == ["done", "failed", "stale"]
    assert "cell 5 has failed; what comes after it was not run" in repr(after)
    assert "ZeroDivisionError: division by zero" in after._repr_html_()


def test_without_a_file_the_cells_that_were_run_are_the_notebook(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    run_all(shell, CELLS)
    shell.run("month = 2")
    assert set(states(shell).values()) <= {"done", "failed", "stale"}
    assert "this session" in repr(shell.run("%p2p").result)


def test_a_file_that_cannot_be_read_is_as_none(shell: Any, notebook: Path) -> None:
    shell.run("%%step one\nx = 1", "a")
    notebook.write_text("{")
    assert states(shell) == {"one": "done"}


def test_a_notebook_without_steps_says_how_to_make_one(shell: Any, notebook: Path) -> None:
    write(notebook, ["1 + 1"])
    assert "mark a cell with %%step NAME" in repr(shell.run("%p2p").result)


def test_what_comes_from_names_and_errors_is_no_html(shell: Any, notebook: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    write(notebook, [f"%%step bad\nraise ValueError('{hostile}')", f"{hostile} ="])
    shell.try_run(f"%%step bad\nraise ValueError('{hostile}')", "a")
    page = shell.run("%p2p").result._repr_html_()
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_mark_puts_the_mark_in_place_of_the_call(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put: list[tuple[str, bool]] = []
    monkeypatch.setattr(shell.shell, "set_next_input", lambda text, replace=False: put.append((text, replace)))
    shell.run("%p2p mark clean\ny = 1")
    assert put == [("%%step clean\ny = 1", True)]
    assert "1x" in shell.refused("%p2p mark 1x")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nwe", "Did you mean `%p2p new`"), ("statsu", "Did you mean `%p2p status`"), ("exprot", "`%p2p export`"),
        ("run", "Nobody tells which notebook this is"), ("diff", "ended with exit code 2"),
    ],
)  # fmt: skip
def test_what_is_not_known_or_cannot_be_done_is_refused(
    shell: Any, monkeypatch: pytest.MonkeyPatch, line: str, told: str
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    refusal = shell.refused(f"%p2p {line}")
    assert refusal.startswith("UsageError")
    assert told in refusal


def test_a_command_is_for_this_notebook(shell: Any, notebook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shell.run("%p2p params")
    assert "month" in capfd.readouterr().out
