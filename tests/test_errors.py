from __future__ import annotations

import pickle

import pytest

from p2p import errors
from p2p.model import Finding

FINDING = Finding(where="a@1", what="its values differ.", why="Nobody knows why.", cure="Export again.")
EXAMPLES = [
    errors.P2PError("It broke.", cure="Mend it.", fields={"n": 1}),
    errors.InputRefused("It is not known.", cure="Write 'b'.", fields={"name": "a"}),
    errors.ParameterError(["a is no int.", "b is unknown."], cure="Look at `p2p params`."),
    errors.NotebookError("There is no notebook.", cure="Give another path."),
    errors.AnalysisError("Cell 3 cannot be read.", cure="Mend line 1.", fields={"line": 1}),
    errors.TargetError("There is no run 'x'.", cure="Look at `p2p status`."),
    errors.RunFailed("Step 'train' raised.", cure="Look at the trace."),
    errors.StepTimeout("train", 2.5),
    errors.ItemFailed("score", 3, 10, ValueError("no")),
    errors.WorkerLost("train", "its process ended"),
    errors.ContractBroken("train", {"rows": ["expected int, got str", "too few"]}),
    errors.EvidenceRefused("Not promoted.", [FINDING], cure="Export again."),
    errors.StoreError("The value is damaged.", cure="Run the step again.", fields={"damaged": True}),
]
each = pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)


@each
def test_an_error_survives_pickling_with_its_message_cure_and_facts(error: errors.P2PError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__
    assert again.args == error.args


@each
def test_an_error_says_what_and_how_to_cure_it(error: errors.P2PError) -> None:
    assert error.message
    assert error.cure
    assert str(error) == f"{error.message} {error.cure}"


@each
def test_ipython_shows_the_paragraph_instead_of_a_traceback(error: errors.P2PError) -> None:
    assert error._render_traceback_() == [f"{type(error).__name__}: {error}"]


def test_every_error_of_the_tree_has_an_example_and_stands_in_the_drawing() -> None:
    kinds = {k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.P2PError)}
    assert kinds == {type(e) for e in EXAMPLES}
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in kinds)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(errors.P2PError, 1), (errors.InputRefused, 2), (errors.ParameterError, 2), (errors.NotebookError, 2),
     (errors.AnalysisError, 2), (errors.TargetError, 2), (errors.RunFailed, 1), (errors.StepTimeout, 1),
     (errors.ItemFailed, 1), (errors.WorkerLost, 1),
     (errors.ContractBroken, 1), (errors.EvidenceRefused, 3), (errors.StoreError, 1)],
)  # fmt: skip
def test_exit_codes_are_those_of_the_command_line(kind: type[errors.P2PError], code: int) -> None:
    assert kind.exit_code == code


def test_all_problems_with_parameters_are_told_at_once() -> None:
    assert str(errors.ParameterError(["a is no int.", "b is unknown."])) == (
        "2 problems with the parameters: a is no int. b is unknown."
    )
    assert str(errors.ParameterError(["a is no int."])) == "a is no int."


@pytest.mark.parametrize(("name", "meant"), [("row", "rows"), ("Rows", "rows"), ("xyz", None)])
def test_the_nearest_name_is_offered_only_when_one_is_near(name: str, meant: str | None) -> None:
    assert errors.nearest(name, ["rows", "columns"]) == meant
