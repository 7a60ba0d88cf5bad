"""Each codec gives back exactly what it was given, and equal values have equal bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from p2p.store import CODECS, decode, difference, encode
from p2p.store.codecs import codec_named
from tests.store import made
from tests.store.example_models import Aliased, Loose, Scores

VALUES = made.everything()


def codec_of(value: Any) -> str | None:
    return encode(value)[0].codec


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_the_same_through_the_codec_that_is_meant_for_it(name: str) -> None:
    value = VALUES[name]
    ref, data = encode(value)
    assert ref.codec == name.split(":")[0], ref.reason
    again = decode(ref.codec, data)
    assert type(again) is type(value)
    assert difference(value, again) is None
    assert encode(again)[0].digest == ref.digest


@pytest.mark.parametrize("name", [name for name in VALUES if name.startswith("arrow")])
def test_pandas_own_strict_comparison_agrees(name: str) -> None:
    value = VALUES[name]
    again = decode("arrow", encode(value)[1])
    compare = pd.testing.assert_frame_equal if value.ndim == 2 else pd.testing.assert_series_equal
    compare(value, again, check_freq=True, check_exact=True)


@pytest.mark.parametrize("name", [name for name in VALUES if name.startswith(("npy", "arrow"))])
def test_what_comes_back_can_be_changed(name: str) -> None:
    again = decode(*_encoded(VALUES[name]))
    if isinstance(again, np.ndarray) and again.size:
        again[...] = again.ravel()[0]
    if isinstance(again, pd.DataFrame) and again.size:
        again.iloc[0, 0] = again.iloc[-1, 0]


def _encoded(value: Any) -> tuple[str, bytes]:
    ref, data = encode(value)
    assert ref.codec
    return ref.codec, data


_PRINT_DIGESTS = """
import json, sys
{imports}
from p2p.store import encode
from tests.store import made
print(json.dumps({{name: encode(value)[0].digest for name, value in made.everything().items()}}))
"""


def _digests(seed: str, imports: str) -> dict[str, str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
    script = _PRINT_DIGESTS.format(imports=imports)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    digests: dict[str, str] = json.loads(done.stdout)
    return digests


def test_every_process_gives_equal_values_the_same_digest() -> None:
    one = _digests("1", "")
    other = _digests("2", "import scipy.special, sklearn")
    assert {name for name in one if one[name] != other[name]} == set()
    assert {name for name in one if one[name] != encode(VALUES[name])[0].digest} == set()


def test_no_two_of_these_values_share_a_digest_unless_they_are_equal() -> None:
    by_digest: dict[str, str] = {}
    for name, value in VALUES.items():
        digest = str(encode(value)[0].digest)
        first = by_digest.setdefault(digest, name)
        assert difference(VALUES[first], value) is None, (first, name)


def test_every_codec_has_its_own_name_and_suffix() -> None:
    assert len({codec.name for codec in CODECS}) == len({codec.suffix for codec in CODECS}) == len(CODECS)
    assert codec_named("yaml") is None


def test_subclasses_of_plain_types_are_not_plain() -> None:
    class Text(str):
        pass

    assert not CODECS[0].accepts([Text("a")])
    assert not CODECS[0].accepts({1: "a"})
    assert not CODECS[0].accepts((1,))


def test_a_list_inside_itself_comes_back_inside_itself() -> None:
    value: list[Any] = [1]
    value.append(value)
    again = decode(*_encoded(value))
    assert again[1] is again
    assert difference(value, again) is None


def test_what_was_one_list_in_two_places_is_one_list_again() -> None:
    shared: list[int] = []
    one, other = decode(*_encoded([shared, shared]))
    assert one is other


def test_a_dict_that_looks_like_a_stored_model_has_another_digest() -> None:
    model, data = encode(Aliased(Month=3))
    twin = json.loads(data)
    assert encode(twin)[0].codec == "json"
    assert encode(twin)[0].digest != model.digest


def test_a_scalar_and_an_array_without_dimensions_have_other_digests() -> None:
    assert encode(np.float64(1))[0].digest != encode(np.array(1.0))[0].digest


def test_a_model_that_json_would_change_is_pickled() -> None:
    assert codec_of(Loose(anything=(1, 2))) == "pickle"
    assert codec_of(Loose(anything={"a", "b"})) == "pickle"
    assert codec_of(Loose(anything=True)) == "pydantic"
    again = decode(*_encoded(Loose(anything=(1, 2))))
    assert again.anything == (1, 2)


def test_which_fields_of_a_model_were_set_is_kept() -> None:
    value = Scores(auc=1, when="2026-01-02")
    assert codec_of(value) == "pydantic"
    assert decode(*_encoded(value)).model_fields_set == {"auc", "when"}
    nested = Scores(auc=1, when="2026-01-02", nested=value)
    assert decode(*_encoded(nested)).nested.model_fields_set == {"auc", "when"}


def test_masked_and_subclassed_arrays_keep_their_type() -> None:
    value = np.ma.array([1, 2], mask=[True, False])
    assert codec_of(value) == "pickle"
    assert type(decode(*_encoded(value))) is np.ma.MaskedArray


def test_padding_and_nan_bits_do_not_show() -> None:
    dtype = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    clean, dirty = np.zeros(2, dtype), np.full(2 * dtype.itemsize, 255, "u1").view(dtype)
    dirty["a"], dirty["b"] = 0, 0
    assert encode(clean)[0].digest == encode(dirty)[0].digest
    assert encode([(clean,)])[0].digest == encode([(dirty,)])[0].digest
    nan = np.array([np.nan])
    assert encode(nan)[0].digest == encode(np.copysign(nan, -1))[0].digest
    assert encode(pd.Series(nan))[0].digest == encode(pd.Series(np.copysign(nan, -1)))[0].digest


def test_block_layout_and_chunks_of_a_frame_do_not_show() -> None:
    whole = pd.DataFrame({"a": [1, 2, 3, 4], "b": [5, 6, 7, 8], "s": ["w", "x", None, "z"]})
    split = pd.DataFrame(index=range(4))
    split.index = pd.RangeIndex(4)
    for name in whole:
        split[name] = whole[name].copy()
    glued = pd.concat([whole.iloc[:1], whole.iloc[1:]], ignore_index=True)
    sliced = pd.concat([whole, whole]).iloc[4:].reset_index(drop=True)
    reordered = whole[["s", "b", "a"]][["a", "b", "s"]]
    digests = {encode(frame)[0].digest for frame in (whole, split, glued, sliced, reordered)}
    assert len(digests) == 1
    inside = {encode((frame, object))[0].digest for frame in (whole, split, glued, sliced, reordered)}
    assert len(inside) == 1


def test_layout_does_not_show_in_frames_that_are_pickled() -> None:
    whole = pd.DataFrame({"a": [1, 2], "b": [[1], [2]], "c": [3, 4], "s": ["x", "y"]})
    split = pd.DataFrame(index=pd.RangeIndex(2))
    for name in whole:
        split[name] = whole[name].copy()
    sliced = pd.concat([whole, whole]).iloc[2:].reset_index(drop=True)
    assert {encode(frame)[0].codec for frame in (whole, split, sliced)} == {"pickle"}
    assert len({encode(frame)[0].digest for frame in (whole, split, sliced)}) == 1


def test_frames_that_differ_in_type_only_have_other_digests() -> None:
    frames = [pd.DataFrame({"a": pd.Series([1, 2], dtype=kind)}) for kind in ("int64", "int32", "Int64", "float64")]
    frames += [frames[0].rename(columns={"a": "b"}), frames[0].set_axis([0, 1]), frames[0]["a"]]
    assert len({encode(frame)[0].digest for frame in frames}) == len(frames)


def test_a_figure_becomes_the_same_png_every_time() -> None:
    figure_module = pytest.importorskip("matplotlib.figure")

    def draw() -> Any:
        figure = figure_module.Figure()
        figure.subplots().plot([1, 3, 2])
        return figure

    codec, data = _encoded(draw())
    assert codec == "png"
    assert decode(codec, data) == data
    assert data.startswith(b"\x89PNG")
    assert b"Software" not in data
    assert _encoded(draw())[1] == data
