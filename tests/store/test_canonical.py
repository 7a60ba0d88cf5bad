"""Pickles of objects that two processes built are equal, also for models and for code of a notebook."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from p2p.policy import Policy
from p2p.store import decode
from p2p.store.canonical import dumps
from p2p.store.constants import Constants
from p2p.store.reducers import Reducers


def run(script: str, seed: str, directory: Path) -> str:
    """What `script` prints, run as `__main__` in a process of its own."""
    path = directory / f"notebook_{seed}.py"
    path.write_text(f"{'#' * int(seed)}\n" * int(seed) + script)  # other file name, other line numbers
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
    done = subprocess.run([sys.executable, str(path)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


FIT = """
import numpy as np, pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from p2p.store import encode
rng = np.random.default_rng(0)
X = pd.DataFrame(rng.random((200, 4)), columns=list("abcd"))
y = (X["a"] + X["b"] > 1).astype(int)
for model in (
    LogisticRegression(),
    RandomForestClassifier(5, random_state=0),
    make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression()),
):
    print(encode(model.fit(X, y))[0].digest)
print(encode(TfidfVectorizer(stop_words="english").fit(["the red fox", "a lazy dog"]))[0].digest)
"""


def test_fitted_models_of_two_processes_are_equal(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    one, other = run(FIT, "1", tmp_path), run(FIT, "2", tmp_path)
    assert len(one.splitlines()) == 4
    assert one == other
    assert "None" not in one


NOTEBOOK = """
import enum, sys, math
from dataclasses import dataclass, field
from pathlib import Path
from p2p.store import encode

class Color(enum.Enum):
    RED = 1
    BLUE = 2

LIMIT = 3

@dataclass
class Trip:
    miles: float
    color: Color = Color.RED
    tags: set = field(default_factory=set)

    @property
    def long(self):
        return self.miles > LIMIT

    @classmethod
    def near(cls):
        return cls(1.0)

def scale(trip, by={"a", "b", "c"}):
    return Trip(math.sqrt(trip.miles) * len(by))

class Longer(Trip):
    def twice(self):
        return super().long, Longer(2 * self.miles)

value = {"trip": Trip(9.0, Color.BLUE, {"x", "y", "z"}), "scale": scale, "longer": Longer(4.0)}
ref, data = encode(value)
assert ref.codec == "pickle", ref.reason
Path(sys.argv[0]).with_suffix(".pickle").write_bytes(data)
print(ref.digest)
"""


def test_objects_of_classes_and_functions_of_a_notebook_are_equal_and_load_elsewhere(tmp_path: Path) -> None:
    assert run(NOTEBOOK, "1", tmp_path) == run(NOTEBOOK, "2", tmp_path)
    value = decode("pickle", (tmp_path / "notebook_1.pickle").read_bytes())
    trip = value["trip"]
    assert (trip.miles, trip.color.name, trip.tags, trip.long) == (9.0, "BLUE", {"x", "y", "z"}, True)
    assert type(trip).near().miles == 1.0
    assert value["scale"](trip).miles == 9.0
    assert value["longer"].twice()[1].miles == 8.0
    assert trip == type(trip)(9.0, type(trip.color).BLUE, {"x", "y", "z"})


def test_two_loads_of_a_notebooks_value_have_one_class(tmp_path: Path) -> None:
    run(NOTEBOOK, "1", tmp_path)
    data = (tmp_path / "notebook_1.pickle").read_bytes()
    one, other = decode("pickle", data), decode("pickle", data)
    assert type(one["trip"]) is type(other["trip"])
    assert one["trip"] == other["trip"]


def test_in_the_notebook_itself_a_loaded_value_has_the_notebooks_own_class(tmp_path: Path) -> None:
    assert run(NOTEBOOK + "\nfrom p2p.store import decode\n"
               "print(type(decode('pickle', data)['trip']) is Trip)", "1", tmp_path).endswith("True")  # fmt: skip


MODEL_IN_NOTEBOOK = """
import sys
from pathlib import Path
from pydantic import BaseModel
from p2p.store import decode, encode
class Answer(BaseModel):
    text: str
ref, data = encode(Answer(text="yes"))
assert decode(ref.codec, data) == Answer(text="yes")
Path(sys.argv[0]).with_suffix(".pickle").write_bytes(data)
print(ref.codec, ref.digest)
"""


def test_a_pydantic_model_of_a_notebook_is_stored_and_loads_there(tmp_path: Path) -> None:
    assert run(MODEL_IN_NOTEBOOK, "1", tmp_path) == run(MODEL_IN_NOTEBOOK, "2", tmp_path)


def test_whether_equal_strings_are_one_object_does_not_show() -> None:
    text = "some text"
    twin = "".join(["some", " ", "text"])
    assert twin is not text
    assert dumps((text, [text])) == dumps((text, [twin]))
    assert dumps([(1, text), (1, text)]) == dumps([(1, text), (1, twin)])
    assert dumps({text: b"ab"}) == dumps({twin: bytes([97, 98])})


def test_in_which_order_an_object_got_its_attributes_does_not_show() -> None:
    class Slotted:
        __slots__ = ("__dict__", "b", "x")

    made = []
    for names in ("xyb", "byx", "ybx"):
        one: Any = Slotted()
        for name in names:
            setattr(one, name, [1])
        made.append(dumps({"is": one}))
    assert made[0] == made[1] == made[2]
    one.y.append(2)
    assert dumps({"is": one}) != made[0]
    assert dumps({"b": 1, "a": 2}) != dumps({"a": 2, "b": 1})  # of a dict it is a part of the value


class Own(dict[str, Any]):
    """As in statsmodels and scikit-learn."""

    def __init__(self, **items: Any) -> None:
        super().__init__(items)
        self.__dict__ = self


def test_a_dict_that_is_its_own_attributes_has_the_bytes_of_its_copy() -> None:
    one = Own(b=[1], a=2)
    other = pickle.loads(pickle.dumps(one))
    assert other.__dict__ is not other
    assert dumps([one]) == dumps([other])
    loaded = pickle.loads(dumps(one))
    assert (loaded, loaded.b, list(loaded)) == ({"b": [1], "a": 2}, [1], ["b", "a"])


def test_a_set_that_leads_back_to_itself_is_written_in_order() -> None:
    class Node:
        def __init__(self, name: str) -> None:
            self.name = name
            self.peers: set[Node] = set()

    def ring() -> Node:
        nodes = [Node(name) for name in "abcdef"]
        for node in nodes:
            node.peers.update(nodes)
        return nodes[0]

    one, other = dumps(ring()), dumps(ring())
    assert one == other
    again = pickle.loads(one)
    assert sorted(node.name for node in again.peers) == list("abcdef")
    assert again in again.peers


def test_numbers_that_are_equal_but_of_other_types_have_other_bytes() -> None:
    values: list[Any] = [(1,), (1.0,), (True,), (-0.0,), (0.0,), (0,), (False,)]
    assert len({dumps(value) for value in values}) == len(values)
    assert pickle.loads(dumps([(0.0,), (-0.0,)])) == [(0.0,), (-0.0,)]


def test_standard_pickle_reads_every_canonical_pickle() -> None:
    value = {"a": {1, 2}, "b": frozenset("xy"), "c": [b"", bytearray(b"1"), 3j, hashlib.sha256]}
    assert pickle.loads(dumps(value)) == value


CONSTANT = """
import dataclasses
from types import SimpleNamespace
from p2p.store import decode, encode
ref, data = encode([SimpleNamespace(default=dataclasses.MISSING), {(1, dataclasses.KW_ONLY)}])
field, found = decode(ref.codec, data)
assert field.default is dataclasses.MISSING
assert found == {(1, dataclasses.KW_ONLY)}
print(ref.codec, ref.digest)
"""


def test_a_constant_that_a_library_knows_by_identity_is_that_constant_when_it_is_loaded(tmp_path: Path) -> None:
    """Where `is` decides, as in `if field.default is MISSING`, a copy would go another way without a word."""
    found = {run(CONSTANT, seed, tmp_path) for seed in ("1", "2")}
    assert len(found) == 1
    assert found.pop().startswith("pickle ")


def test_what_a_library_has_but_does_not_know_by_identity_is_stored_by_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`NaT` is never equal to itself, but pickle finds it again; what can be changed in place may be another there."""
    has = {
        "none": pd.NaT,
        "policy": Policy(retries=2),
        "day": pd.Timestamp(0),
        "settings": OrderedDict(a=1),
        "plain": "a",
    }
    for name, one in has.items():
        monkeypatch.setattr(pd, f"p2p_test_{name}", one, raising=False)
    monkeypatch.setattr(pd, "p2p_test_marker", object(), raising=False)
    places = Constants()
    assert places.place(vars(pd)["p2p_test_marker"]) == ("pandas", "p2p_test_marker")
    assert [name for name, one in has.items() if places.place(one)] == []


def test_the_table_of_reducers_gives_what_the_pickler_of_any_python_asks_it_for() -> None:
    """Python 3.13's pickler asks with a mark of its own for "none"; an answer of None would be called."""
    reducers, mark = Reducers(list, in_class=False), object()
    assert reducers.get(Path, mark) is mark
    assert reducers.get(Path) is None
    assert reducers.get(ModuleType, mark) is not mark
