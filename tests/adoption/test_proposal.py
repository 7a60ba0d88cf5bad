"""What is proposed for plain notebooks: which cells are steps, what they are called, and why not the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2p.adoption import Proposal, mark, propose
from p2p.errors import NotebookError
from p2p.notebook import parameters_of, read_notebook
from tests.building import read_built

IMPORTS = "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt\nimport seaborn as sns"
LOAD = "df = pd.read_csv('x.csv')"


def proposed(folder: Path, *cells: str, params: str = "") -> Proposal:
    return propose(read_built(folder, *cells, params=params))


def roles(folder: Path, *cells: str) -> list[str]:
    """What the cells after the imports and a load are taken for."""
    return [cell.role.value for cell in proposed(folder, IMPORTS, LOAD, *cells).cells][2:]


@pytest.mark.parametrize(
    ("cell", "role"),
    [
        ("from math import pi\nnp.random.seed(0)\npd.set_option('display.max_rows', 9)", "setup"),
        ("%matplotlib inline", "setup"),
        ("!pip install pandas", "setup"),
        ("'''Only words.'''", "setup"),
        ("", "empty"),
        ("# a comment", "empty"),
        ("def f(x):\n    return x\n\nclass C:\n    pass", "helpers"),
        ("import json\ndef f(x):\n    return x", "helpers"),
        ("df.head()", "exploration"),
        ("df", "exploration"),
        ("print(df.shape)\ndf.isna().sum()", "exploration"),
        ("for c in df.columns:\n    print(c, df[c].nunique())", "exploration"),
        ("df.groupby('a')['b'].mean()", "exploration"),
        ("df.plot()", "plot"),
        ("sns.histplot(df['a'])\nplt.show()", "plot"),
        ("fig, ax = plt.subplots()\nax.plot(df['a'])\nplt.title('x')", "plot"),
        ("plt.figure()\nfor c in df.columns:\n    plt.plot(df[c])", "plot"),
        ("df = df.dropna()", "step"),
        ("df['b'] = df['a'] * 2", "step"),
        ("df.dropna(inplace=True)", "step"),
        ("rows = []\nfor c in df.columns:\n    rows.append(c)", "step"),
        ("%%time\nfitted = df.sum()", "step"),
        ("fig, ax = plt.subplots()\nmean = df['a'].mean()\nax.axhline(mean)", "step"),
        ("exec('z = 1')\ny = df", "unclear"),
        ("files = !ls\ny = df", "unclear"),
        ("%%bash\nls", "setup"),
        ("y = df +", "unclear"),
    ],
)
def test_a_cell_is_taken_for_what_it_is(tmp_path: Path, cell: str, role: str) -> None:
    assert roles(tmp_path, cell) == [role]


def test_a_call_of_the_notebooks_own_function_may_change_what_it_is_given(tmp_path: Path) -> None:
    assert roles(tmp_path, "def tidy(frame):\n    frame['x'] = 1", "tidy(df)") == ["helpers", "step"]


def test_every_proposal_says_why(tmp_path: Path) -> None:
    found = proposed(tmp_path, IMPORTS, LOAD, "clean = df.dropna()", "total = clean.sum()", "exec('z = 1')")
    assert [cell.reason for cell in found.cells] == [
        "imports and settings", "steps that read what it gives: cells 3", "steps that read what it gives: cells 4",
        "gives a result that no other cell reads", "line 1: exec( hides which names it reads and writes",
    ]  # fmt: skip


def test_a_name_given_anew_is_not_what_later_cells_read(tmp_path: Path) -> None:
    found = proposed(tmp_path, IMPORTS, LOAD, "df = df.dropna()", "total = df.sum()")
    assert found.steps[0].reason == "steps that read what it gives: cells 3"


def test_what_flows_between_the_steps_is_shown(tmp_path: Path) -> None:
    found = proposed(tmp_path, IMPORTS, "LIMIT = 3", LOAD, "clean = df[df['a'] > LIMIT]", "clean['b'] = 1")
    assert [(step.inputs, step.outputs) for step in found.steps] == [
        ((), ("df",)), (("df", "LIMIT"), ("clean",)), (("clean",), ("clean",)),
    ]  # fmt: skip


def names(folder: Path, *cells: str) -> list[str]:
    return [step.name for step in proposed(folder, IMPORTS, *cells).steps]


def test_a_heading_of_its_own_names_a_step(tmp_path: Path) -> None:
    assert names(tmp_path, "## 1. Load the data!", LOAD, "## Größe & Form", "g = df.shape") == [
        "load_data",
        "grosse_form",
    ]


def test_steps_that_share_a_heading_are_named_by_their_work(tmp_path: Path) -> None:
    cells = [LOAD, "df = df.dropna()", "df['Body mass'] = 1", "model = fit(df)\nmodel.fit(df)", "z = model.a"]
    assert names(tmp_path, "## Work", *cells) == ["load_df", "clean_df", "add_body_mass", "fit_model", "make_z"]


@pytest.mark.parametrize("heading", ["class", "df", "list", "np", "DF", "match"])
def test_no_step_is_called_what_is_in_use(tmp_path: Path, heading: str) -> None:
    [name, _other] = names(tmp_path, f"## {heading}", LOAD, "## More", "y = df.sum()")
    assert name == f"step_{heading.lower()}"


def test_no_two_steps_have_one_name(tmp_path: Path) -> None:
    cells = [LOAD, "df = pd.read_csv('y')", "df = pd.read_csv('z')"]
    assert names(tmp_path, *cells) == ["load_df", "load_df_2", "load_df_3"]


def test_constants_that_later_cells_read_become_the_parameters(tmp_path: Path) -> None:
    found = proposed(
        tmp_path, IMPORTS, "unused = 1", "LIMIT = 3  # rows\nNAME = 'x'", LOAD, "top = df.head(LIMIT)", "K = 2"
    )
    assert found.parameters is not None
    assert found.parameters.number == 3
    assert [cell.role.value for cell in found.cells] == [
        "setup",
        "constants",
        "parameters",
        "step",
        "step",
        "constants",
    ]


def test_constants_after_the_first_step_are_no_parameters(tmp_path: Path) -> None:
    assert proposed(tmp_path, IMPORTS, LOAD, "LIMIT = 3", "top = df.head(LIMIT)").parameters is None


def test_a_cell_that_has_the_tag_keeps_it(tmp_path: Path) -> None:
    found = proposed(tmp_path, IMPORTS, "LIMIT = 3", LOAD, "top = df.head(LIMIT + month)", params="month = 1")
    assert found.parameters is None
    assert [cell.role.value for cell in found.cells][:3] == ["parameters", "setup", "constants"]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["%%step load\nx = 1"], r"has steps already \(cell 1\)"),
        (["x = 1", "from p2p import step\n@step\ndef f(a):\n    return a"], r"has steps already \(cell 2\)"),
        (["import json", "def show():\n    return 1"], "no cell that computes something"),
    ],
)
def test_what_there_is_nothing_to_propose_for_is_refused(tmp_path: Path, cells: list[str], says: str) -> None:
    with pytest.raises(NotebookError, match=says):
        proposed(tmp_path, *cells)


def test_a_marked_notebook_is_read_as_proposed_and_is_not_adopted_twice(tmp_path: Path) -> None:
    found = proposed(tmp_path, IMPORTS, "LIMIT = 3", LOAD, "top = df.head(LIMIT)")
    path = found.notebook.path
    path.chmod(0o640)
    mark(found)
    again = read_notebook(path)
    assert [cell.source.split("\n")[0] for cell in again.cells] == [
        "%load_ext p2p", "import numpy as np", "LIMIT = 3", "%%step load_df", "%%step make_top",
    ]  # fmt: skip
    assert [p["name"] for p in parameters_of(again).describe()] == ["LIMIT"]
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(NotebookError, match="has steps already"):
        propose(again)


def test_a_notebook_that_was_edited_meanwhile_is_left_alone(tmp_path: Path) -> None:
    found = proposed(tmp_path, IMPORTS, LOAD, "top = df.head()")
    path = found.notebook.path
    path.write_text(path.read_text().replace("x.csv", "y.csv"))
    before = path.read_bytes()
    with pytest.raises(NotebookError, match="has changed meanwhile"):
        mark(found)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("given", "role"), [("[1, 2]", "parameters"), ("sorted({2, 1})", "step")])
def test_what_a_step_takes_is_data_and_not_what_a_cell_above_imports_or_defines(
    given: str, role: str, tmp_path: Path
) -> None:
    above = f"import math\ndef double(x):\n    return 2 * x\na = {given}"
    found = proposed(tmp_path, above, "b = [double(math.sin(x)) for x in a]")
    assert [cell.role.value for cell in found.cells] == [role, "step"]
    assert found.steps[-1].inputs == ("a",)
