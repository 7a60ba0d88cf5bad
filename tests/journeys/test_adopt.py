"""A plain notebook becomes a proven pipeline without an edit by hand."""

from __future__ import annotations

import pytest

from tests.journeys.workshop import Workshop

CELLS = [
    "import random\n\nimport numpy as np\nimport pandas as pd\n\nnp.random.seed(3)",
    "ROWS = 20\nSHARE = 0.5",
    "## Load",
    "df = pd.DataFrame({'a': np.arange(ROWS), 'b': np.random.normal(size=ROWS)})\ndf.head()",
    "df.describe()",
    "## Clean",
    "df = df[df['b'] < 1]",
    "df['c'] = df['a'] * df['b']",
    "%%bash\necho from the shell",
    "def middle(frame, share):\n    return frame['c'].quantile(share)",
    "df.plot();",
    "## Result",
    "result = {'middle': middle(df, SHARE), 'rows': len(df)}\nresult",
]


@pytest.mark.soak
def test_a_plain_notebook_is_adopted_run_and_exported_equal(workshop: Workshop) -> None:
    path = workshop.write("plain", *CELLS)
    asked = workshop.p2p("adopt", str(path), "--json").answer
    assert (asked["written"], asked["parameters"]) == (False, 2)
    assert "%%step" not in path.read_text()

    done = workshop.p2p("adopt", str(path), "--write", "--json").answer
    steps = {cell["name"]: (cell["inputs"], cell["outputs"]) for cell in done["cells"] if cell["role"] == "step"}
    assert steps == {
        "load": (["ROWS"], ["df"]), "make_df": (["df"], ["df"]), "add_c": (["df"], ["df"]),
        "step_result": (["df", "SHARE"], ["result"]),
    }  # fmt: skip
    assert workshop.p2p("run", str(path), "-p", "ROWS=30").code == 0

    exported = workshop.p2p("export", str(path), "--json")
    assert exported.code == 0, exported.err
    assert {value["verdict"] for value in exported.answer["values"]} == {"equal"}
    again = workshop.p2p("adopt", str(path))
    assert (again.code, "has steps already" in again.err) == (2, True)
