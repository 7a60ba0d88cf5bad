"""`%p2p` in a real shell: how the steps stand, running what is stale, marking, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from p2p.magics.opening import Opened

REPOSITORY = Path(__file__).resolve().parents[2]
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


def test_a_refusal_is_a_table_of_its_findings_beside_the_text(
    shell: Any, notebook: Path, project: Path, shown: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """A version that was edited is refused on evidence, soon."""
    version = project / "pipelines" / "penguins" / "v1"
    shutil.copytree(REPOSITORY / "pipelines" / "penguins" / "v1", version)
    (version / "steps.py").write_text("")
    refusal = shell.refused("%p2p promote penguins@1")
    assert "`p2p promote penguins@1` ended with exit code 3" in refusal
    (table,) = shown
    assert "penguins@1, steps.py: steps.py is not the file that was verified." in repr(table)
    assert "<td" in table._repr_html_()
    assert "Put the file back from git" in table._repr_html_()
    assert "not promoted" not in capfd.readouterr().out  # told once


def test_what_a_cell_is_refused_on_is_shown_as_a_table_too(shell: Any, shown: list[Any]) -> None:
    shell.try_run(
        "from p2p.errors import EvidenceRefused\nfrom p2p.model import Finding\n"
        "raise EvidenceRefused('it was refused.', [Finding('cell 3', '<img src=x>', 'why', 'cure')])"
    )
    (table,) = shown
    assert "cell 3: <img src=x>" in repr(table)
    assert "&lt;img src=x&gt;" in table._repr_html_()
    shell.run("1")
    assert len(shown) == 1


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is displayed."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.display.display", found.append)
    return found


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address that stands for a server that answers."""
    address = "http://127.0.0.1:5123"
    monkeypatch.setattr("p2p.magics.opening.address_of", lambda *_: address)
    monkeypatch.setattr("p2p.magics.opening.serve", lambda *_: SimpleNamespace(is_ready=False))
    monkeypatch.setattr(
        "p2p.magics.opening.experiment_place", lambda at, name: f"{at}/#/experiments/{name}" if name != "new" else None
    )
    return address


def test_ui_links_to_the_experiment_of_the_notebook(
    shell: Any, notebook: Path, at: str, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = shell.run("%p2p ui").result
    assert opened.address == f"{at}/#/experiments/flights"
    assert "Runs of 'flights' in MLflow: http://127.0.0.1:5123" in repr(opened)
    assert f'<a href="{opened.address}" target="_blank" rel="noopener noreferrer">' in opened._repr_html_()
    assert "about ten seconds" in capsys.readouterr().out


def test_ui_links_to_all_where_the_notebook_has_no_runs(
    shell: Any, at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "new.ipynb"))
    opened = shell.run("%p2p ui --port 5123").result
    assert opened.address == at
    assert "No runs of 'new' are to be seen yet" in repr(opened)


def test_ui_escapes_the_name_of_a_notebook() -> None:
    shown = Opened("http://there", "Runs of '<img src=x onerror=alert(1)>'", "now")._repr_html_()
    assert "<img" not in shown
    assert "&lt;img src=x" in shown


@pytest.mark.parametrize("words", ["--port", "--port x", "--port 0", "--port 70000", "--host 0.0.0.0", "5000"])
def test_ui_refuses_what_it_does_not_understand(shell: Any, at: str, words: str) -> None:
    assert f"'%p2p ui {words}' is not understood" in shell.refused(f"%p2p ui {words}")


def test_nothing_is_served_where_nobody_looks(
    shell: Any, notebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("p2p.magics.opening.serve", lambda *_: pytest.fail("a server was started"))
    monkeypatch.setattr("p2p.magics.extension.Extension.headless", True)
    assert shell.run("%p2p ui").result is None
    assert "in a terminal: p2p ui" in capsys.readouterr().out
