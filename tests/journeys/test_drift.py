"""A version is edited by hand, the edit goes back into the notebook, and the next version is the edited one."""

from __future__ import annotations

import pytest

from tests.journeys.workshop import Workshop

CELLS = (
    "# the share that the state takes\nVAT = 0.2",
    "%%step load\nrows = [1.0, 2.0, size]   # as they came\n\nrows",
    "%%step add(rows) -> total --retries 1\ntotal = sum(rows) * (1 + VAT)",
)


@pytest.mark.soak
def test_an_edit_by_hand_comes_back_and_is_exported(workshop: Workshop) -> None:
    path = workshop.write("sums", *CELLS, params="size: int = 3")
    assert workshop.p2p("export", str(path)).code == 0
    before = path.read_text(encoding="utf-8")
    assert workshop.p2p("pull", "sums@1", "--json").answer["written"] is False
    assert path.read_text(encoding="utf-8") == before

    steps = workshop.root / "pipelines" / "sums" / "v1" / "steps.py"
    text = steps.read_text(encoding="utf-8")
    steps.write_text(text.replace("VAT = 0.2", "VAT = 0.3").replace("sum(rows)", "max(rows)"), encoding="utf-8")
    rows = workshop.p2p("status", "--json").answer
    drifts = {row["name"]: [drift["kind"] for drift in row["drift"]] for row in rows}
    assert drifts == {"notebooks/sums.ipynb": [], "sums": ["module"]}

    pulled = workshop.p2p("pull", "sums@1", "--json")
    assert pulled.code == 0, pulled.err
    assert (pulled.answer["cells"], pulled.answer["pulled"]) == ([2, 4], ["VAT", "add"])
    assert path.read_text(encoding="utf-8") == before.replace("VAT = 0.2", "VAT = 0.3").replace("sum(", "max(")

    exported = workshop.p2p("export", str(path), "--json")
    assert (exported.code, exported.answer["version"]) == (0, 2), exported.err
    found = workshop.p2p("diff", "sums@1", "sums@2", "--json").answer
    assert {step["name"]: step["changes"] for step in found["steps"]} == {"load": ["same"], "add": ["same"]}
    assert found["helpers"] == []
    assert [value["value"] for value in found["values"] if value["verdict"] == "unequal"] == ["total"]

    steps.write_text(steps.read_text(encoding="utf-8").replace("max(rows)", "min(rows)"), encoding="utf-8")
    conflict = workshop.p2p("pull", "sums@1", "--json")
    assert conflict.code == 3
    assert conflict.answer["findings"][0]["where"] == "steps.py, 'add'"
