from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from p2p.errors import ParameterError
from p2p.params import load_params_file, read_parameters


def written(folder: Path, text: str, name: str = "p.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["p.yaml", "p.yml", "p.json", "P.YAML"])
def test_the_suffix_tells_the_format(tmp_path: Path, name: str) -> None:
    text = '{"month": 2, "tags": ["a", null], "share": 0.5, "on": true}'
    assert load_params_file(written(tmp_path, text, name)) == {
        "month": 2,
        "tags": ["a", None],
        "share": 0.5,
        "on": True,
    }


def test_yaml_is_read_as_plain_data(tmp_path: Path) -> None:
    text = "i: 3\nh: 0x1f\nf: 1e3\ng: -.5\nn: .nan\nm: -.inf\nz: null\nt: true\ns: a b\n"
    text += "d: 2024-01-31\nc: 12:30\nno: no\no: 007\ne:\n"
    data = load_params_file(written(tmp_path, text))
    assert math.isnan(data.pop("n"))
    assert data == {"i": 3, "h": 31, "f": 1000.0, "g": -0.5, "m": -math.inf, "z": None, "t": True, "s": "a b",
                    "d": "2024-01-31", "c": "12:30", "no": "no", "o": "007", "e": None}  # fmt: skip  # a table


def test_dates_in_a_file_become_what_the_parameter_declares(tmp_path: Path) -> None:
    data = load_params_file(written(tmp_path, "d: 2024-01-31\ns: 2024-01-31\nflag: yes\n"))
    values = read_parameters("d: date\ns: str\nflag = False").parse(data)
    assert values.literals() == {"d": "2024-01-31", "s": "2024-01-31", "flag": True}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: &x 2\n", 2, "anchors and aliases"),
        ("a: 1\nb: *x\n", 2, "anchors and aliases"),
        ("a: 1\na: 2\n", 2, "'a' is given twice"),
        ("a:\n  b: 1\n  b: 2\n", 3, "'b' is given twice"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "tags"),
        ("a: !!int '3'\n", 1, "tags"),
        ("a: [1\nb: 2\n", 2, "."),
        ("[a]: 1\n", 1, "must be text"),
        ("- a\n", 1, "mapping"),
        ("", 1, "mapping"),
        ("a: 1\n---\nb: 2\n", 2, "."),
        ("a: 1\nb: \x01\n", 2, "."),
    ],
)
def test_yaml_that_is_refused_names_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        load_params_file(written(tmp_path, text))
    assert f"p.yaml, line {line}: " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('{"a": 1,\n "a": 2}', 2, "'a' is given twice"),
        ('{"a": {\n"b": 1,\n"b": 2}}', 3, "'b' is given twice"),
        ('{"a": 1,\n}', 1, "."),
        ('{"a": 1}\n3', 2, "."),
        ("[1]", 1, "mapping"),
        ("", 1, "."),
    ],
)
def test_json_that_is_refused_names_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        load_params_file(written(tmp_path, text, "p.json"))
    assert f"p.json, line {line}: " in str(caught.value) or (line == 1 and "p.json, line 2" in str(caught.value))


def test_names_must_be_text(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"p\.yaml.*names must be text.*2"):
        load_params_file(written(tmp_path, "2: a\n"))


@pytest.mark.parametrize("name", ["p.yaml", "p.json"])
def test_a_file_over_one_mebibyte_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParameterError, match="1 MiB"):
        load_params_file(written(tmp_path, '{"a": "' + "x" * 1024 * 1024 + '"}', name))


@pytest.mark.parametrize("name", ["p.yaml", "p.json"])
@pytest.mark.parametrize("text", ['{"a": ' + "[" * 2000 + "]" * 2000 + "}", '{"a": ' + "9" * 5000 + "}"])
def test_depth_and_length_are_refused_without_a_crash(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ParameterError, match=r"nested too deeply|too many digits"):
        load_params_file(written(tmp_path, text, name))


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40))]
    start = time.perf_counter()
    with pytest.raises(ParameterError, match="anchors"):
        load_params_file(written(tmp_path, "\n".join(lines)))
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("name", "says"), [("missing.yaml", "cannot be read"), ("p.toml", "ends in"), (".", "ends in")]
)
def test_a_file_that_is_not_there_or_of_another_kind_is_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        load_params_file(tmp_path / name)


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ParameterError, match=r"p\.yaml, line 2"):
        load_params_file(path)
