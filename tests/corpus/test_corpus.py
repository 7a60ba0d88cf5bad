"""Small notebooks, each with one trait or defect: each is exported equal, or refused where and why it must be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2p.adoption import mark, propose
from p2p.errors import EvidenceRefused, InputRefused
from p2p.export import emit, export_notebook
from p2p.notebook import read_notebook
from p2p.settings import Settings
from tests.corpus.bench import Bench, Outcome, cells_named
from tests.corpus.reading import NOTEBOOKS, Expectation, Part, Spec, read_spec, write_spec

FILES = sorted(NOTEBOOKS.glob("*.cells"))
REPOSITORY = Path(__file__).resolve().parents[2]
corpus = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def shown(outcome: Outcome) -> Expectation:
    """The outcome in the words of an expectation; a difference that p2p does not notice is nothing to expect."""
    if outcome.kind == "equal":
        return Expectation("equal")
    if outcome.kind == "refused":
        return Expectation("refused before running", reason=outcome.reason)
    if outcome.kind == "broken":
        return Expectation("broken", reason=outcome.reason)
    kind = "refused on evidence" if outcome.noticed else "accepted, though it is different"
    return Expectation(kind, step=outcome.step, reason=outcome.reason)


def test_there_are_many_notebooks_and_each_says_what_it_is_for() -> None:
    specs = [read_spec(path) for path in FILES]
    assert len({spec.name.lower() for spec in specs}) == len(specs) >= 80
    assert all(spec.why for spec in specs)
    assert len({spec.parts for spec in specs}) == len(specs)


@corpus
def test_a_notebook_is_equal_or_refused_as_it_must_be(path: Path, bench: Bench, tmp_path: Path) -> None:
    expected = read_spec(path).expectation
    outcome = bench.outcome(read_spec(path), tmp_path)
    found = shown(outcome)
    assert (found.kind, found.step) == (expected.kind, expected.step), outcome
    assert expected.reason in outcome.reason
    assert expected.cell is None or expected.cell in outcome.cells, outcome.reason


@pytest.mark.parametrize(
    ("right", "wrong", "noticed"), [("r > low", "r > low + 3", True), ("kept, r", "kept, 7", False)]
)
def test_a_module_that_gives_another_value_is_different(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str, noticed: bool
) -> None:
    """Also a value that p2p does not compare, as no run of a notebook records the variables of loops."""
    write = emit.steps_file
    monkeypatch.setattr(emit, "steps_file", lambda *parts: write(*parts).replace(right, wrong))
    loop = "%%step keep\nkept = []\nfor r in rows:\n    if r > low:\n        kept.append(r)"
    codes = ["%%step load\nrows, low = [5, 1, 4], 2", loop, "%%step use\nlast = str(r)[:0]"]
    parts = tuple(Part("code", "", code) for code in codes)
    outcome = bench.outcome(Spec("broken", Expectation("equal"), "", adopt=False, parts=parts), tmp_path)
    assert (outcome.kind, outcome.step, outcome.noticed) == ("different", "keep", noticed)


@pytest.fixture
def real_project(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A project whose exports ask no index for hashes."""
    shutil.copyfile(REPOSITORY / "requirements.lock", settings.root / "requirements.lock")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    return settings


@pytest.mark.soak
@corpus
def test_a_real_export_is_equal_or_refused_as_it_must_be(path: Path, real_project: Settings) -> None:
    spec = read_spec(path)
    notebook = write_spec(spec, real_project.root / "notebooks")
    refusals = {"refused before running": InputRefused, "refused on evidence": EvidenceRefused}
    if spec.expectation.kind in refusals:
        with pytest.raises(refusals[spec.expectation.kind]) as refusal:
            export(notebook, real_project, adopt=spec.adopt)
        assert_refused(refusal.value, spec.expectation)
    else:
        export(notebook, real_project, adopt=spec.adopt)


def export(notebook: Path, settings: Settings, *, adopt: bool) -> None:
    """Export for real; every value that can be compared is equal."""
    if adopt:
        mark(propose(read_notebook(notebook)))
    exported = export_notebook(notebook, settings)
    assert exported.written
    assert {c.verdict for c in exported.compared} <= {"equal", "not recorded", "structure"}


def assert_refused(refusal: InputRefused | EvidenceRefused, expected: Expectation) -> None:
    findings = refusal.findings if isinstance(refusal, EvidenceRefused) else []
    text = " ".join([str(refusal), *(f"{finding.where} {finding.what} {finding.why}" for finding in findings)])
    assert expected.reason in text
    assert expected.cell is None or expected.cell in cells_named(text)
    assert expected.step in text
