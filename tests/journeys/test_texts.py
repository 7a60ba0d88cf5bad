"""A notebook that is kept as text goes all the way: adopted, run, exported equal, edited and pulled."""

from __future__ import annotations

import json

import pytest

from tests.journeys.workshop import Workshop

PERCENT = """\
# %% [markdown]
# # Load

# %%
ROWS = 20

# %%
rows = [n * 0.5 for n in range(ROWS)]

# %% [markdown]
# # Total

# %%
total = sum(rows)
total
"""
MARKDOWN = """\
# Load

```python
ROWS = 20
```

```python
halves = [n * 0.5 for n in range(ROWS)]
```

# Total

```python
total = sum(halves)
total
```
"""


WAYS = [("percent.py", PERCENT), pytest.param("markdown.md", MARKDOWN, marks=pytest.mark.soak)]


@pytest.mark.parametrize(("name", "text"), WAYS)
def test_a_text_notebook_is_adopted_run_exported_equal_and_pulled(workshop: Workshop, name: str, text: str) -> None:
    path = workshop.root / "notebooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    adopted = workshop.p2p("adopt", str(path), "--write", "--json")
    assert adopted.code == 0, adopted.err
    steps = [cell["name"] for cell in adopted.answer["cells"] if cell["role"] == "step"]
    assert (steps, adopted.answer["parameters"]) == (["load", "step_total"], 1)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in text.splitlines() if line not in lines and "ROWS" not in line] in ([], ["# %%"])

    ran = workshop.p2p("run", f"notebooks/{name}", "-p", "ROWS=3", "--json")
    assert (ran.code, ran.answer["status"]) == (0, "FINISHED"), ran.err
    run = workshop.runs_of(path, "notebook")[0]
    assert run.facts["source"] == f"notebooks/{name}"
    executed = json.loads((run.directory / f"{path.stem}.ipynb").read_text(encoding="utf-8"))
    assert executed["cells"][-1]["outputs"][0]["data"]["text/plain"] == ["1.5"]
    assert "jupytext" not in executed["metadata"]

    exported = workshop.p2p("export", str(path), "--json")
    assert exported.code == 0, exported.err
    assert {value["verdict"] for value in exported.answer["values"]} == {"equal"}

    module = workshop.root / "pipelines" / path.stem / "v1" / "steps.py"
    module.write_text(module.read_text(encoding="utf-8").replace("n * 0.5", "n * 0.25"), encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    pulled = workshop.p2p("pull", f"{path.stem}@1", "--json")
    assert (pulled.code, pulled.answer["notebook"]) == (0, f"notebooks/{name}"), pulled.err
    assert path.read_text(encoding="utf-8") == before.replace("n * 0.5", "n * 0.25")
    rows = {row["name"]: row for row in workshop.p2p("status", "--json").answer}
    assert rows[f"notebooks/{name}"]["pipelines"] == [path.stem]
