"""A run that uses no earlier results keeps what its steps took in, and recalls nothing."""

from __future__ import annotations

from pydantic import SecretStr

from p2p.cache import KeptInputs
from p2p.execution import Work
from p2p.settings import Settings
from p2p.store import DiskStore


def test_inputs_are_stored_as_they_are_before_the_step_but_for_secrets_and_what_is_known(settings: Settings) -> None:
    values = DiskStore(settings.values)
    rows, known = [1, 2], values.put("known")
    work = Work(
        name="clean", body=dict, inputs={"rows": rows, "other": "not this", "key": SecretStr("hidden")},
        known={"other": known},
    )  # fmt: skip
    memory = KeptInputs(values).of(work)
    refs = memory.references()
    rows.append(3)
    assert values.get(refs["rows"]) == [1, 2]
    assert refs["other"] == known
    assert (refs["key"].codec, refs["key"].digest) == (None, None)
    assert memory.recall("any") is None
