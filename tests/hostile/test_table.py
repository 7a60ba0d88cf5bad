"""The hostile-input table of issue 3: a row each, with its clear error or its exact round trip.

What many rows look at (`survivors`, `tracked`), what they run (`telling`) and how they do damage (`entries`) is beside.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from p2p import Task
from p2p.analysis import split_mark
from p2p.cache import Reuse, code
from p2p.errors import InputRefused, NotebookError, P2PError, ParameterError
from p2p.export.naming import check_step_names, pipeline_name
from p2p.export.targets import is_notebook, load_pipeline
from p2p.model import RunStatus
from p2p.notebook import parameters_of, read_notebook
from p2p.notebook.destination import check_output
from p2p.notebook.loading import load_to_run
from p2p.params import ParameterSet, load_params_file, read_parameters
from p2p.secrets import MASK, Masker
from p2p.session import InteractiveSession
from p2p.settings import Settings
from p2p.store import Ledger
from p2p.tracking import RunRecord
from p2p.tracking.mlstore import check_settings
from tests.building import notebook, write_notebook
from tests.cache import examples
from tests.cache.conftest import Bench
from tests.cache.conftest import bench as bench
from tests.cache.test_memory import ledger_file
from tests.cli.conftest import Answer
from tests.cli.conftest import p2p as p2p
from tests.hostile import entries, telling, tracked
from tests.hostile.kernels import Executed
from tests.hostile.survivors import DEFAULT_SECRET, ENVIRONMENT_SECRET, GIVEN_SECRET, TEXT, Survivors, gone
from tests.journeys.workshop import Workshop
from tests.searching import files_with

row = pytest.param


# --- parameter names ----------------------------------------------------------------------------------------------

DECLARED = "month: int = 1\ntext: str = ''\nanything: object = None\nmany: list[float] = []\nratio: float = 0.0"


@pytest.fixture(scope="module")
def parameters() -> ParameterSet:
    return read_parameters(DECLARED)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        row("x=1;open('pwned','w');y", "not a Python name", id="code"),
        row("month\nimport os", "not a Python name", id="code-after-newline"),
        row("class", "Unknown parameter 'class'", id="keyword"),
        row("__class__", "Unknown parameter '__class__'", id="dunder"),
        row("__builtins__", "Unknown parameter '__builtins__'", id="dunder-builtins"),
        row("ｍonth", "Did you mean 'month'?", id="homoglyph-nfkc"),
        row("mоnth", "Did you mean 'month'?", id="homoglyph-cyrillic"),
        row("mnoth", "Did you mean 'month'?", id="undeclared"),
        row("", "not a Python name", id="empty"),
        row("m" * 300, "not a Python name", id="300-characters"),
        row("\x1b]0;t\x07", "not a Python name", id="control"),
        row(5, "not a Python name", id="no-text"),
    ],
)
def test_parameter_names(parameters: ParameterSet, name: Any, says: str) -> None:
    with pytest.raises(ParameterError) as refused:
        parameters.parse({name: 1})
    assert says in str(refused.value)
    assert "open(" not in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_parameter_names_that_python_itself_normalizes_are_one_name() -> None:
    assert [p["name"] for p in read_parameters("ｍonth: int = 1").describe()] == ["month"]


# --- parameter values ---------------------------------------------------------------------------------------------


class Hostile:
    def __str__(self) -> str:
        return "1\nimport os; os.abort()"

    __repr__ = __str__


class HostileInt(int):
    __str__ = __repr__ = lambda self: "0\nimport os; os.abort()"


class HostileText(str):
    __slots__ = ()
    __str__ = __repr__ = lambda self: "'\nimport os; os.abort()"


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        row("text", "a\ud800", "lone surrogate", id="lone-surrogate"),
        row("anything", {"a": ["\udfff"]}, "lone surrogate", id="lone-surrogate-inside"),
        row("month", 10**5000, "16,610 bits", id="10**5000"),
        row("anything", [10**5000], "16,610 bits", id="10**5000-inside"),
        row("anything", deep(10_000), "deeper than 100 levels", id="10000-deep"),
        row("anything", Path("a"), "PosixPath" if Path is not None else "", id="path"),
        row("month", np.int64(5), "numpy.int64", id="numpy-int"),
        row("ratio", np.float64(0.5), "numpy.float64", id="numpy-float"),
        row("text", b"bytes", "bytes", id="bytes"),
        row("anything", Hostile(), "Hostile", id="hostile-str"),
        row("month", HostileInt(3), "HostileInt", id="hostile-int"),
        row("text", HostileText("x"), "HostileText", id="hostile-text"),
        row("anything", [Hostile()], "Hostile", id="hostile-inside"),
        row("anything", {Hostile(): 1}, "Hostile", id="hostile-key"),
    ],
)
def test_parameter_values_that_are_refused(parameters: ParameterSet, name: str, value: Any, says: str) -> None:
    with pytest.raises(ParameterError) as refused:
        parameters.parse({name: value})
    assert name in str(refused.value)
    assert says in str(refused.value)
    assert "os.abort" not in str(refused.value)


@pytest.mark.parametrize(
    "text", [row("1" + "0" * 5000, id="10**5000"), row("[" * 10_000 + "]" * 10_000, id="10000-deep")]
)
def test_parameter_values_on_the_command_line_that_are_refused(parameters: ParameterSet, text: str) -> None:
    with pytest.raises(ParameterError, match=r"^month ") as refused:
        parameters.parse(text={"month": text})
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        row("text", "both ' and \"", id="quotes"),
        row("text", "a\nb\r\nc", id="newlines"),
        row("text", "a\u2028b\u2029c\x85", id="u2028"),
        row("text", "a\x00b", id="nul"),
        row("text", "'); import os; ('", id="code"),
        row("many", [math.inf, -math.inf, 1e308], id="infinities"),
        row("anything", [True, None, "1", 1.0], id="kinds"),
        row("month", 10**4000, id="10**4000"),
    ],
)
def test_parameter_values_that_come_through_exactly(parameters: ParameterSet, name: str, value: Any) -> None:
    values = parameters.parse({name: value})
    assert (values.typed[name], values.literals()[name]) == (value, value)
    # What papermill injects and what the journal holds are made from these.
    assert json.loads(json.dumps(values.plain()))[name] == value


def test_a_default_that_is_too_large_to_be_written_down_is_named_by_its_size() -> None:
    values = read_parameters("big: int = 10**5000\nnext: int = 1").parse()
    assert values.typed["big"] == 10**5000
    assert values.plain()["big"] == "<an int of 16,610 bits>"


def test_values_come_through_a_kernel_exactly(survivors: Survivors) -> None:
    """NUL, U+2028, both quotes, NaN, an infinity, templates and markup, as they were given."""
    assert json.dumps([repr(TEXT), "[nan, -inf, 1e+308]"])[:200] in survivors.done.out.replace("  seen = ", "")


def test_a_value_that_no_environment_variable_could_hold_comes_through_a_kernel(survivors: Survivors) -> None:
    """200,000 characters; and a step whose name has 300 ran on it."""
    assert survivors.outputs("long")[0]["data"]["text/plain"] == "200000"


def test_secrets_that_no_environment_variable_could_hold_are_refused(p2p: Callable[..., Answer], project: Path) -> None:
    params = "from pydantic import SecretStr\ntoken: SecretStr = SecretStr('none')"
    path = write_notebook(project / "notebooks" / "nb.ipynb", "x = 1", params=params)
    done = p2p("run", str(path), "-p", f"token={'q' * 100_000}")
    assert done.code == 2
    assert "30,000 can be handed on" in done.err
    assert "qqq" not in done.err
    assert not (project / "mlruns" / "p2p" / "runs").exists()


# --- YAML ---------------------------------------------------------------------------------------------------------

BOMB = "a: &a [x, x]\n" + "\n".join(f"{c}: &{c} [*{p}, *{p}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        row("x: !!python/object/apply:os.system ['true']", "tags are not allowed", id="python-tag"),
        row("x: !!python/name:os.system", "tags are not allowed", id="python-name"),
        row("!!map {x: 1}", "tags are not allowed", id="any-tag"),
        row(BOMB, "anchors and aliases", id="alias-bomb"),
        row("x: 1\nx: 2", "given twice", id="duplicate-keys"),
        row("x: {y: 1, y: 2}", "given twice", id="duplicate-keys-inside"),
        row("<<: {x: 1}\nx: 2", "not a Python name", id="merge-key-is-a-name"),
        row("x: " + "[" * 10_000 + "]" * 10_000, "nested too deeply", id="10000-deep"),
        row("x: " + "9" * 5000, "too many digits", id="10**5000"),
        row("- 1", "must be a mapping", id="list"),
        row("x: \x00", "does not allow", id="nul"),
    ],
)
def test_yaml_that_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=re.escape(says)):
        read_parameters("x: int = 1").parse(load_params_file(file))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        row("no", "no", id="no"), row("012", "012", id="012"), row("12:30", "12:30", id="sexagesimal"),
        row("2024-01-31", "2024-01-31", id="date"), row("1_000", "1_000", id="underscore"),
        row("true", True, id="true"), row("null", None, id="null"), row(".inf", math.inf, id="infinity"),
        row("'!!python/name:os'", "!!python/name:os", id="quoted-tag"),
    ],
)  # fmt: skip
def test_yaml_that_means_what_it_says(tmp_path: Path, text: str, value: Any) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f"x: {text}", encoding="utf-8")
    assert load_params_file(file) == {"x": value}


# --- output paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        row("folder", "it is a folder", id="folder"), row("nb.ipynb", "the notebook itself", id="the-notebook"),
        row("folder/../nb.ipynb", "the notebook itself", id="the-notebook-by-dots"),
        row("nb.ipynb/out.ipynb", "is no folder", id="below-a-file"), row("a\0b", "holds a NUL", id="nul"),
        row("x" * 300, "cannot be a path", id="300-characters"),
    ],
)  # fmt: skip
def test_output_paths_that_are_refused(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "nb.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(InputRefused, match=says):
        check_output(tmp_path / name, tmp_path / "nb.ipynb")


@pytest.mark.parametrize(
    "name",
    [
        row("../out.ipynb", id="dots"), row("/tmp/p2p-nowhere/out.ipynb", id="absolute"),
        row("{month:>1000000000}.ipynb", id="format-spec"), row("{0.__class__.__mro__}.ipynb", id="attribute-access"),
    ],
)  # fmt: skip
def test_output_paths_are_taken_as_they_stand(tmp_path: Path, name: str) -> None:
    check_output(tmp_path / name, tmp_path / "nb.ipynb")


def test_an_output_is_written_under_its_literal_name_and_not_through_a_link(survivors: Survivors) -> None:
    assert survivors.output.name == "..{text}.ipynb"
    assert survivors.output.is_file()
    assert not survivors.output.is_symlink()
    assert survivors.elsewhere.read_text(encoding="utf-8") == "untouched"


# --- names of steps, runs and pipelines ---------------------------------------------------------------------------

STEP_NAMES = [
    row("../x", id="dots"), row("-rf", id="option"), row("a\0b", id="nul"), row("\U0001f427", id="emoji"),
    row("class", id="keyword"), row("__import__", id="dunder"), row("a;b", id="code"), row("<b>", id="markup"),
]  # fmt: skip


@pytest.mark.parametrize("name", STEP_NAMES)
def test_step_names_that_are_refused(name: str) -> None:
    with pytest.raises(P2PError):
        split_mark(f"%%step {name}\nx = 1")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        row(["load", "CON"], "for a device", id="device"), row(["s" * 300], "over 80 characters", id="300-characters"),
        row(["load", "clean", "Load"], "only by case", id="case"),
    ],
)  # fmt: skip
def test_step_names_that_cannot_be_exported(names: list[str], says: str) -> None:
    with pytest.raises(InputRefused, match=says) as refused:
        check_step_names(names)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("name", [row("json", id="json"), row("CON", id="device"), row("Load", id="case"),
                                  row("s" * 300, id="300-characters")])  # fmt: skip
def test_step_names_that_are_only_names(name: str) -> None:
    mark, _ = split_mark(f"%%step {name}\nx = 1")
    assert mark is not None
    assert mark.name == name


@pytest.mark.parametrize(
    "name", [*STEP_NAMES, row("CON", id="device"), row("lpt1", id="port"), row("x" * 300, id="300-characters"),
             row("", id="empty"), row("ﬁle", id="homoglyph-nfkc")]
)  # fmt: skip
def test_pipeline_names_that_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRefused, match="cannot be the name of a pipeline") as refused:
        pipeline_name(name, tmp_path)
    assert len(str(refused.value)) < 400


def test_a_pipeline_name_that_differs_only_by_case_is_refused(tmp_path: Path) -> None:
    version = tmp_path / "Sales" / "v1"
    version.mkdir(parents=True)
    (version / "manifest.json").write_text("{}", encoding="utf-8")
    assert pipeline_name("Sales", tmp_path) == "Sales"
    with pytest.raises(InputRefused, match="only by case"):
        pipeline_name("sales", tmp_path)


def test_a_pipeline_may_be_called_json(tmp_path: Path) -> None:
    """Its package is `pipelines.json`: nothing else is hidden by it."""
    assert pipeline_name("json", tmp_path) == "json"


@pytest.mark.parametrize(
    "target",
    [
        row("..", id="dots"), row("os", id="a-module"), row("x" * 300, id="300-characters"), row("a\0b", id="nul"),
        row("sales@" + "9" * 5000, id="endless-version"), row("sales@0", id="zero"), row("sales@-1", id="negative"),
        row("sales@１", id="homoglyph-digit"), row("\U0001f427", id="emoji"), row("json", id="json"),
    ],
)  # fmt: skip
def test_targets_that_are_refused(settings: Settings, target: str) -> None:
    assert not is_notebook(target)
    with pytest.raises(InputRefused):
        load_pipeline(target, settings)


def test_a_run_is_called_what_its_notebook_is_called(survivors: Survivors) -> None:
    """An option, a template, markup, a device and an emoji in one file's name."""
    [record] = survivors.workshop.records(run_kind="notebook")
    assert survivors.workshop.mlflow_run(record.run_id).info.run_name == survivors_name(survivors)
    assert record.directory.parent == survivors.workshop.settings.runs


def survivors_name(survivors: Survivors) -> str:
    [path] = (survivors.workshop.root / "notebooks").glob("*.ipynb")
    return path.stem


@pytest.mark.parametrize("name", [row("a\x1b]0;pwned\x07", id="control-sequence"), row("a\nb", id="newline")])
def test_a_notebook_whose_name_is_a_control_sequence(
    p2p: Callable[..., Answer], project: Path, name: str
) -> None:  # fmt: skip
    path = project / "notebooks" / f"{name}.ipynb"
    path.write_text(json.dumps(notebook("x = 1")), encoding="utf-8")
    done = p2p("run", str(path))
    assert done.code == 2
    assert "\x1b" not in done.err
    assert not (project / "mlruns" / "p2p" / "runs").exists()


# --- HTML ---------------------------------------------------------------------------------------------------------


class Active(HTMLParser):
    """Collects what a browser would run of ours: anything with `pwned` in a script or in a handler."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        self.found += [f"{tag} {key}" for key, value in attrs if key.startswith("on") and "pwned" in (value or "")]

    def handle_data(self, data: str) -> None:
        if self._script and "pwned" in data:
            self.found.append("script")

    def handle_endtag(self, tag: str) -> None:
        self._script = False


def test_no_name_value_or_error_is_active_in_the_page_of_a_run(survivors: Survivors) -> None:
    reader = Active()
    reader.feed(survivors.page)
    assert reader.found == []
    for part in ("&lt;img src=x onerror=pwned()&gt;", "&lt;script&gt;pwned()"):  # the name; a value; an error
        assert survivors.page.count(part) >= 2


# --- notebooks ----------------------------------------------------------------------------------------------------

WHOLE = json.dumps(notebook("x = 1", params="k: int = 1"))
CELL = {"cell_type": "code", "metadata": {}, "source": "x", "outputs": [], "execution_count": None}


def changed(**facts: Any) -> bytes:
    return json.dumps({**json.loads(WHOLE), **facts}).encode()


def kernelspec(**facts: Any) -> bytes:
    return changed(metadata={"kernelspec": facts})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        row(b"", "it is empty", id="empty"),
        row(b" \n", "it is empty", id="blank"),
        row(WHOLE.encode()[:-20], "not valid JSON", id="truncated"),
        row(b"[]", "no 'nbformat'", id="list"),
        row(b"null", "no 'nbformat'", id="null"),
        row(b'{"nbformat": 4, "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", "nested too deeply", id="20000-deep"),
        row(WHOLE.encode("utf-16"), "not UTF-8", id="utf-16"),
        row(b"\xef\xbb\xbf" + WHOLE.encode(), "byte order mark", id="bom"),
        row(b'{"nbformat": 2, "worksheets": []}', "format 2", id="nbformat-2"),
        row(b'{"nbformat": 3, "worksheets": []}', "format 3", id="nbformat-3"),
        row(changed(nbformat=99), "format 99", id="nbformat-99"),
        row(changed(nbformat="4"), "format '4'", id="nbformat-text"),
        row(changed(cells={}), "no list of cells", id="cells-mapping"),
        row(changed(cells=[CELL, 5]), "cell 2 is no mapping", id="cell-number"),
        row(changed(cells=[{**CELL, "cell_type": "evil"}]), "cell 1 has the unknown type 'evil'", id="cell-type"),
        row(changed(cells=[{**CELL, "source": 5}]), "source that is no text", id="source-number"),
        row(changed(cells=[{**CELL, "metadata": {"tags": "parameters"}}]), "tags", id="tags-text"),
        row(changed(cells=[{**CELL, "metadata": []}]), "metadata", id="cell-metadata-list"),
        row(changed(metadata=[]), "metadata", id="metadata-list"),
        row(changed(nbformat_minor="5"), "nbformat_minor is '5'", id="nbformat-minor-text"),
        row(kernelspec(name="ir", language="R"), "written in R", id="kernel-r"),
        row(kernelspec(name="ir"), "written in ir", id="kernel-r-by-name"),
        row(kernelspec(name="julia-1.11"), "written in julia-1.11", id="kernel-julia-by-name"),
        row(changed(metadata={"language_info": {"name": "rust"}}), "written in rust", id="language-rust"),
    ],
)
def test_notebooks_that_are_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError) as refused:
        read_notebook(path)
    assert str(path) in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        row(changed(metadata={}), id="without-kernelspec"),
        row(kernelspec(name="no-such-kernel", display_name="Mine", language="python"), id="missing-kernel"),
        row(kernelspec(name=5, language=None), id="kernelspec-numbers"),
        row(changed(metadata={"kernelspec": None}), id="kernelspec-null"),
        row(changed(cells=[CELL, CELL]), id="missing-ids"),
        row(changed(cells=[{**CELL, "id": "a"}, {**CELL, "id": "a"}]), id="duplicate-ids"),
        row(changed(cells=[]), id="no-cells"),
    ],
)
def test_notebooks_that_are_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_bytes(content)
    found = read_notebook(path)
    assert [cell.number for cell in found.cells] == list(range(1, len(found.cells) + 1))
    parameters_of(found).parse()


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        row({"cell_type": "markdown", "id": "a", "attachments": 5}, "5 is not", id="attachments"),
        row({**CELL, "id": ""}, "''", id="empty-id"), row({**CELL, "id": "<b>"}, "<b>", id="id-with-markup"),
    ],
)  # fmt: skip
def test_notebooks_that_are_refused_when_they_are_to_run(tmp_path: Path, cell: Any, says: str) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_bytes(changed(cells=[cell]))
    with pytest.raises(NotebookError, match="is not a valid notebook") as refused:
        load_to_run(path)
    assert says in str(refused.value)


def test_a_notebook_that_lacks_what_can_be_put_in_is_run(p2p: Callable[..., Answer], project: Path) -> None:
    """No metadata, no ids or the same one twice, outputs that are none, and a kernel that is not there."""
    kernel = {"kernelspec": {"name": "no-such-kernel", "display_name": "Mine", "language": "python"}}
    bare = {"cell_type": "code", "source": "z = 2"}
    cells = [
        {**CELL, "source": "x = 1", "id": "a"},
        {**CELL, "source": ["y = ", "x"], "id": "a", "outputs": "none"},
        bare,
    ]
    path = project / "notebooks" / "nb.ipynb"
    path.write_bytes(changed(metadata=kernel, cells=cells))
    done = p2p("run", str(path), "--json")
    assert done.code == 0, done.err


@pytest.mark.parametrize("path", [row("a\0b.ipynb", id="nul"), row("x" * 300 + ".ipynb", id="300-characters"),
                                  row(".", id="folder"), row("-rf.ipynb", id="option")])  # fmt: skip
def test_paths_of_notebooks_that_are_not_there(path: str) -> None:
    with pytest.raises(NotebookError):
        read_notebook(Path(path))


# --- cells --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error"),
    [
        row("shell", "CalledProcessError", id="!exit-3"), row("captured shell", "CalledProcessError", id="x=!exit-3"),
        row("bash", "CalledProcessError", id="%%bash"), row("recursion", "RecursionError", id="infinite-recursion"),
        row("memory", "MemoryError", id="memory-error"), row("input", "StdinNotImplementedError", id="input"),
        row("surrogate", "ValueError", id="surrogate-in-error"),
    ],
)  # fmt: skip
def test_cells_that_fail(survivors: Survivors, name: str, error: str) -> None:
    """Each is an error of its cell, and so of the run."""
    assert survivors.error(name) == error
    assert survivors.done.code == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        row("allowed shell", "", id="!false||true"), row("breakpoint", "'after'", id="breakpoint"),
        row("chdir", "", id="os.chdir"), row("environment", "", id="changed-environment"),
        row("signals", "", id="changed-signal-handlers"), row("threads", "", id="thread-left-alive"),
        row("after too much", "as ever", id="after-too-much-output"),
    ],
)  # fmt: skip
def test_cells_that_change_nothing_for_those_after_them(survivors: Survivors, name: str, shown: str) -> None:
    assert survivors.error(name) == ""
    assert shown in str(survivors.outputs(name))
    assert survivors.text("after too much") == "as ever\n"


def test_what_a_run_left_alive_is_gone_with_it(survivors: Survivors) -> None:
    """A child, and a kernel that ignores SIGTERM and SIGINT and has a thread that never ends."""
    _, child, kernel = survivors.text("children").split()
    assert gone(int(child))
    assert gone(int(kernel))


@pytest.mark.parametrize(
    ("cell", "error", "state"),
    [
        row("import sys\nsys.exit(0)", "", "failed", id="sys.exit(0)"),
        row("import sys\nsys.exit(1)", "SystemExit 1", "failed", id="sys.exit(1)"),
        row("quit()", "SystemExit the cell ended the kernel", "failed", id="quit"),
        row("import os\nos._exit(0)", "DeadKernelError", "failed", id="os._exit(0)"),
        row("import os\nos.kill(os.getpid(), 9)", "DeadKernelError", "failed", id="kill-9"),
        row("import ctypes\nctypes.string_at(0)", "DeadKernelError", "failed", id="segfault"),
    ],
)
def test_cells_that_end_the_kernel(run_cells: Callable[..., Executed], cell: str, error: str, state: str) -> None:
    """Never complete, and so never FINISHED; what did not run says so."""
    done = run_cells("x = 1", cell, "y = 2")
    assert not done.complete
    assert error in done.error
    assert done.states == ["completed", state, "pending"]


def test_a_cell_that_prints_without_end_is_stopped_and_kept_within_the_limit(
    run_cells: Callable[..., Executed], settings: Settings
) -> None:
    done = run_cells("x = 1", "while True:\n    print('x' * 1000)", "y = 2", cell_timeout=4)
    assert "CellTimeoutError" in done.error
    assert done.states == ["completed", "failed", "pending"]
    text = "".join(o.get("text", "") for o in done.cells[1].outputs)
    assert settings.output_limit * 0.97 <= len(text) < settings.output_limit + 500
    assert "output of this cell was cut here" in text


def test_output_over_the_limit_is_cut_with_a_note(survivors: Survivors) -> None:
    text = survivors.text("too much")
    assert "A cell keeps 50 KB" in text
    assert len(text) < 50_500


@pytest.mark.soak
def test_500_megabytes_of_output(run_cells: Callable[..., Executed]) -> None:
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = run_cells("for _ in range(5000):\n    print('x' * 100_000)", "'after'", cell_timeout=300)
    assert done.complete
    assert sum(len(o.get("text", "")) for o in done.cells[0].outputs) < 10_001_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"500 MB printed: this process grew by {grown / 1024:.0f} MB")  # noqa: T201  # the soak's figure
    assert grown < 400 * 1024


@pytest.mark.soak
def test_a_notebook_that_holds_500_megabytes_of_output(settings: Settings, project: Path) -> None:
    """It is read and run; what it held is not carried along."""
    document = notebook("x = 1")
    document["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 500_000_000}]
    path = project / "notebooks" / "large.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    done = Workshop(settings).p2p("run", str(path), "--json")
    assert done.code == 0
    assert Path(done.answer["notebook"]).stat().st_size < 100_000


def test_control_sequences_of_a_cell_do_not_reach_the_terminal(survivors: Survivors) -> None:
    assert "\\x1b]0;pwned\\x07\\x1b[2J" in survivors.done.err
    assert [c for c in "\x1b\x07\x9b\u202e\u2028" if c in survivors.done.out + survivors.done.err] == []


def test_what_a_child_process_prints_is_output_of_its_cell(survivors: Survivors) -> None:
    """It is not written past p2p to the terminal, where the tests above and below look."""
    assert f"{MASK}\x1b]0;t\x07 said" in survivors.text("child prints")
    assert f"{MASK} shouted" in survivors.text("child prints")
    assert survivors.done.out.count(" said") == survivors.done.out.count(f"{MASK}\\x1b]0;t\\x07 said")


# --- secrets ------------------------------------------------------------------------------------------------------

SECRETS = {"given": GIVEN_SECRET, "default": DEFAULT_SECRET, "environment": ENVIRONMENT_SECRET}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_written_and_shown_nowhere(survivors: Survivors, kind: str) -> None:
    """Not in the executed notebook, its page, the journal, MLflow's database or artifacts, nor on the terminal."""
    masker = Masker([SECRETS[kind]])
    assert files_with(SECRETS[kind], below=survivors.workshop.root / "mlruns") == []
    texts = {"notebook": survivors.output.read_text(), "stdout": survivors.done.out, "stderr": survivors.done.err}
    assert [place for place, text in texts.items() if masker.text(text) != text] == []
    assert "**********" in survivors.text("secret stream")


@pytest.mark.parametrize("name", ["secret stream", "secret pieces", "secret value", "secret error"])
def test_the_cell_that_shows_a_secret_shows_the_mask(survivors: Survivors, name: str) -> None:
    assert "**********" in str(survivors.outputs(name))


# --- secrets in runs without a notebook -----------------------------------------------------------------------------


def test_no_record_of_a_module_holds_a_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_API_KEY", telling.ENVIRONMENT_SECRET)
    failed = telling.run_telling(settings, Task(telling.fail, ["said"], ["x"]))
    assert (failed.status, failed.failed_step) == (RunStatus.FAILED, "fail")
    assert failed.error.endswith(f"RuntimeError: {MASK} {MASK} {MASK}")
    done = telling.run_telling(settings, Task(telling.told, ["said"], ["again"]))
    assert json.dumps(done.as_dict()["outputs"]) == json.dumps({"again": dict.fromkeys(["id", "type", "key"], MASK)})
    assert telling.leaks(settings) == []


def test_no_cached_result_holds_a_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result is told with previews of its values; `told` depends on its code and input alone, so it is kept."""
    monkeypatch.setenv("SERVICE_API_KEY", telling.ENVIRONMENT_SECRET)
    states = [
        telling.run_telling(settings, Task(telling.told, ["said"], ["again"])).steps[-1].state.value for _ in range(2)
    ]
    assert states == ["done", "cached"]
    assert [MASK in text.decode() for _, text in Ledger(settings.cache).entries()] == [True]
    assert telling.leaks(settings) == []


def test_no_record_of_an_interactive_run_holds_a_secret_that_a_cell_put_into_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = InteractiveSession(settings, lambda: ("exploring", ""), lambda text: None)
    monkeypatch.setenv("SERVICE_API_KEY", telling.ENVIRONMENT_SECRET)
    events = session.services().events
    events.append("step_started", step="a", id="1", inputs={}, parent="", parent_id="", attributes={})
    events.append(
        "step_finished", step="a", id="1", state="failed", seconds=0.1, attempts=1, parent="", outputs={},
        error_type="RuntimeError", error=telling.ENVIRONMENT_SECRET, traceback=f"... {telling.ENVIRONMENT_SECRET}",
    )  # fmt: skip
    session.close()
    assert telling.leaks(settings) == []


def test_no_record_of_a_script_holds_a_secret(settings: Settings, tmp_path: Path) -> None:
    """Its traceback on the terminal is Python's own, not p2p's."""
    assert telling.run_script(settings, tmp_path).code == 1
    [record] = Workshop(settings).records(run_kind="script")
    assert record.status is RunStatus.FAILED
    assert record.facts["params"] == {"id": MASK}
    assert MASK in record.end["error"]
    assert telling.leaks(settings) == []


def test_a_run_whose_parameter_held_a_secret_is_not_resumed_with_the_mask_in_its_place(tmp_path: Path) -> None:
    facts = {"params": {"address": f"https://host/{MASK}/x", "month": 3}, "overridden": ["address", "month"]}
    reuse = Reuse(resumes=RunRecord("20261124T1", tmp_path, facts, RunStatus.FAILED))
    with pytest.raises(InputRefused, match=r"Give it again: -p address=\.\.\."):
        reuse.parameters([])
    assert reuse.parameters(["address"]) == {"month": 3}


# --- cache entries --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        row(entries.poisoned, id="poisoned"),
        row(entries.truncated, id="truncated"),
        row(entries.text(""), id="empty"),
        row(entries.text("null"), id="null"),
        row(entries.text("[]"), id="list"),
        row(entries.text('{"format": 2}'), id="another-format"),
        row(entries.text("x" * 1000), id="no-json"),
        row(entries.text("[" * 20_000), id="nested"),
        row(entries.text('{"kept": {"run": 1}}'), id="half-a-record"),
        row(entries.damaged_values, id="its-values-damaged"),
        row(entries.without_values, id="half-deleted"),
    ],
)
def test_a_damaged_entry_is_a_miss_and_one_warning(
    bench: Bench, damage: Callable[[Bench], None], caplog: pytest.LogCaptureFixture
) -> None:
    bench.run().step(examples.double, x=3)
    damage(bench)
    again = bench.run().step(examples.double, x=3)
    assert (again.outputs, again.attempts) == ({"y": 6}, 1)
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
    assert bench.run().step(examples.double, x=3).attempts == 0  # it has been written anew


def test_every_flipped_byte_is_a_miss_or_changes_nothing(bench: Bench) -> None:
    bench.run().step(examples.double, x=3)
    path = ledger_file(bench)
    whole = path.read_bytes()
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 0x10
        path.write_bytes(bytes(flipped))
        assert bench.run(cache=True).step(examples.double, x=3).outputs == {"y": 6}, place
        path.write_bytes(whole)


def test_swapped_entries_are_not_believed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    for x in (3, 4):
        bench.run().step(examples.double, x=x)
    paths = {path.name: path for path in (bench.root / "p2p" / "cache").iterdir()}
    lines = [line for path in paths.values() for line in path.read_bytes().split(b"\n") if line]
    for (one, _, _), (_, digest, text) in itertools.permutations([line.split(b" ", 2) for line in lines], 2):
        with paths[f"{one.decode()[0]}.log"].open("ab") as file:
            file.write(b"%b %b %b\n" % (one, digest, text))
    assert [bench.run().step(examples.double, x=x).outputs["y"] for x in (3, 4)] == [6, 8]
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 2


def test_an_entry_of_another_library_version_is_another_steps(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    np.random.seed(1)  # imports numpy.random, so that all three find it there
    bench.run().step(examples.seeded, n=3)
    assert bench.run().step(examples.seeded, n=3).attempts == 0
    version = code.package_version
    monkeypatch.setattr(code, "package_version", lambda root: version(root) + ".post1" * (root == "numpy"))
    monkeypatch.setattr(code, "_known", {})  # as in another process: versions do not change in one
    assert bench.run().step(examples.seeded, n=3).attempts == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no owner ids")
@pytest.mark.parametrize(
    "make", [row(entries.open_to_others, id="writable"), row(entries.of_another_user, id="another-users")]
)
def test_nothing_of_a_directory_that_others_could_write_to_is_used(
    bench: Bench, make: Callable[[Path, Any], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.run().step(examples.double, x=3)
    make(bench.root / "p2p" / "cache", monkeypatch)
    run = bench.run()
    assert run.step(examples.double, x=3).attempts == 1
    assert "No cached result is used" in caplog.text


# --- tracking URIs, experiments, parameters and metrics -------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        row("MLFLOW_TRACKING_URI", "gopher://host/x", "gopher://host/x", id="wrong-scheme"),
        row("MLFLOW_TRACKING_URI", "javascript:alert(1)", "javascript:alert(1)", id="script"),
        row("MLFLOW_TRACKING_URI", "ftp://me:swordfish@host/x", "ftp://***@host/x", id="credentials"),
        row("MLFLOW_EXPERIMENT_NAME", "a\nb", "control characters", id="experiment-newline"),
        row("MLFLOW_EXPERIMENT_NAME", "a\x1b]0;t\x07", "control characters", id="experiment-control"),
        row("MLFLOW_EXPERIMENT_NAME", "   ", "empty", id="experiment-blank"),
    ],
)
def test_what_mlflow_could_never_use_is_refused_before_anything_starts(
    p2p: Callable[..., Answer],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    says: str,
) -> None:
    path = write_notebook(settings.root / "notebooks" / "a.ipynb", "x = 1")
    monkeypatch.setenv(variable, value)
    done = p2p("run", str(path))
    assert done.code == 2
    assert says in done.err
    assert "swordfish" not in done.out + done.err
    assert "\x1b" not in done.err
    assert not settings.runs.exists()


def test_an_experiment_name_with_nul_is_refused(settings: Settings) -> None:
    """No environment can hold one, but a caller's settings can."""
    with pytest.raises(InputRefused, match="control characters"):
        check_settings(replace(settings, experiment="a\0b"))


def test_an_experiment_is_called_as_it_was_asked_for_and_lies_inside_the_project(
    workshop: Workshop, tracked_run: dict[str, object]
) -> None:
    """`..` and a script tag."""
    info = workshop.mlflow_run(str(tracked_run["run_id"])).info
    experiment = workshop.client.get_experiment(info.experiment_id)
    assert experiment.name == "../<script>alert(1)</script>"
    assert str(workshop.root / "mlruns") in experiment.artifact_location
    assert ".." not in experiment.artifact_location


def test_a_parameter_of_7000_characters_is_shortened_in_mlflow_and_whole_in_the_journal(
    workshop: Workshop, tracked_run: dict[str, object]
) -> None:
    kept = workshop.mlflow_run(str(tracked_run["run_id"])).data.params["long"]
    assert kept.startswith("x" * 100)
    assert len(kept) <= 6000
    assert kept != "x" * len(kept)  # it says that it was cut
    [record] = workshop.records(run_kind="notebook")
    assert record.facts["params"]["long"] == "x" * 7000


def test_nan_and_infinite_metrics_arrive(workshop: Workshop, tracked_run: dict[str, object]) -> None:
    metrics = workshop.mlflow_run(str(tracked_run["run_id"])).data.metrics
    assert math.isnan(metrics["loss"])
    assert metrics["top"] > 1e300


def test_a_lone_surrogate_in_a_value_keeps_nothing_from_arriving(
    workshop: Workshop, tracked_run: dict[str, object]
) -> None:
    assert workshop.mlflow_run(str(tracked_run["run_id"])).info.status == "FAILED"
    assert ("odd", "") in workshop.spans(str(tracked_run["run_id"]))


@pytest.mark.parametrize(
    "secret", [row(tracked.SECRET, id="parameter"), row(tracked.ENVIRONMENT_SECRET, id="environment")]
)
def test_a_secret_that_a_step_gives_or_raises_is_masked_in_every_record_of_it(
    workshop: Workshop, tracked_run: dict[str, object], secret: str
) -> None:
    """Journal, MLflow's database and artifacts, and the answer; values themselves are the user's data."""
    assert files_with(secret, below=workshop.root / "mlruns", leaving=workshop.settings.values) == []
    shown = json.dumps(tracked_run)
    assert Masker([secret]).text(shown) == shown


def test_a_secret_that_user_code_logs_arrives_masked(workshop: Workshop, tracked_run: dict[str, object]) -> None:
    data = workshop.mlflow_run(str(tracked_run["run_id"])).data
    assert (data.params["logged"], data.tags["said"]) == (MASK, f"is {MASK}")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        row("http://me:swordfish@127.0.0.1:9/", "127.0.0.1:9", id="dead-host"),
        row("sqlite:////dev/null/no/mlflow.db", "/dev/null", id="missing-directory"),
    ],
)
def test_a_store_that_is_not_there_costs_a_warning_and_not_the_run(workshop: Workshop, uri: str, shown: str) -> None:
    path = workshop.write("dead", "%%step one\nx = 1")
    elsewhere = Workshop(workshop.settings, {"MLFLOW_TRACKING_URI": uri, "P2P_ROOT": str(workshop.root)})
    done = elsewhere.p2p("run", str(path), "--json")
    assert done.code == 0, done.err
    assert done.answer["status"] == "FINISHED"
    assert shown in done.err
    assert "swordfish" not in done.out + done.err
