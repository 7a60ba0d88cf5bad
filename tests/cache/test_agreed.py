"""Which contracts are known again by their digest, and which never are."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from p2p.cache import agreed as module
from p2p.cache.agreed import agreed


class Own:
    """A class of the user's own."""


def positive(column: Any) -> Any:
    return column > 0


def schema(**options: Any) -> Any:
    return pa.DataFrameSchema({"a": pa.Column("float64", **options)})


FORMS = {
    "type": [int, pd.DataFrame],
    "types": [(int, float), (int, str), (float, int)],
    "array": [{"type": np.ndarray, "dtype": "float64", "ndim": n} for n in (1, 2)],
    "frame": [schema(nullable=True), schema(nullable=False), schema(unique=True)],
    "series": [pa.SeriesSchema("bool", name="late"), pa.SeriesSchema("bool", name="early")],
}


def test_contracts_that_ask_for_something_else_have_another_digest() -> None:
    found = [agreed(contract) for forms in FORMS.values() for contract in forms]
    assert all(found)
    assert len({*found}) == len(found)


def test_contracts_that_ask_for_the_same_have_one_digest_before_and_after_they_are_used() -> None:
    before, used = schema(nullable=True), schema(nullable=True)
    used.validate(pd.DataFrame({"a": [1.0]}))
    assert agreed(before) == agreed(used) == agreed(schema(nullable=True))


_IN_ANOTHER_PROCESS = """
from tests.cache.test_agreed import FORMS
from p2p.cache.agreed import agreed
print([agreed(contract) for forms in FORMS.values() for contract in forms])
"""


def test_another_process_finds_the_same_digests() -> None:
    found = [agreed(contract) for forms in FORMS.values() for contract in forms]
    told = subprocess.run([sys.executable, "-c", _IN_ANOTHER_PROCESS], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(found)


@pytest.mark.parametrize(
    "contract",
    [
        Own,
        (int, Own),
        {"type": Own},
        schema(checks=pa.Check(positive)),
        schema(checks=pa.Check(lambda column: column > 0)),
        schema(metadata={"owner": Own()}),
    ],
    ids=["class", "classes", "array", "function", "lambda", "object"],
)
def test_a_contract_with_code_of_the_users_own_is_never_known_again(contract: Any) -> None:
    assert agreed(contract) == ""


def test_another_package_version_a_library_makes_it_another_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    for root, contract in [("pandera", FORMS["frame"][0]), ("pandas", FORMS["frame"][0]), ("numpy", FORMS["array"][0])]:
        before = agreed(contract)
        with monkeypatch.context() as patch:
            patch.setattr(module, "package_version", lambda name, root=root: "0.0" if name == root else "1")
            first = agreed(contract)
            patch.setattr(module, "package_version", lambda _name: "1")
            assert len({before, first, agreed(contract)}) == 3
