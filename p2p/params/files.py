"""Parameter files: YAML or JSON read as plain data, without aliases, tags or repeated keys."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar, Final

import yaml

from p2p.errors import ParameterError

LIMIT: Final = 1024 * 1024
SUFFIXES: Final = (".yaml", ".yml", ".json")


def load_params_file(path: str | Path) -> dict[str, Any]:
    """The parameters in a `.yaml`, `.yml` or `.json` file.

    YAML is read as its version 1.2 has it: dates, times, `no` and `007` stay text, as they would in JSON, and the
    parameter's type converts them.

    Raises:
        ParameterError: the file cannot be read, is over 1 MiB or is no mapping of names; names file and line.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ParameterError([f"{path}: a parameter file ends in .yaml, .yml or .json."])
    return mapping_in(str(path), read_plain(path))


def read_plain(path: Path) -> Any:
    """The plain data in a YAML or JSON file, read as strictly as parameters are."""
    text = read_text(path)
    data, problem = (_json if path.suffix.lower() == ".json" else _yaml)(text)
    if problem:
        raise ParameterError([f"{path}, {problem}"])
    return data


def read_text(path: Path) -> str:
    """The text of a file of at most 1 MiB, without a byte order mark."""
    try:
        with path.open("rb") as file:
            raw = file.read(LIMIT + 1)
    except (OSError, ValueError) as error:  # a NUL in its name
        raise ParameterError([f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}."]) from error
    if len(raw) > LIMIT:
        raise ParameterError([f"{path}: over 1 MiB, too large for a parameter file."])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ParameterError([f"{path}, line {line}: not UTF-8 text."]) from error


def mapping_in(where: str, data: Any) -> dict[str, Any]:
    """The data as parameters by name; `where` it stands is named where it is none."""
    if not isinstance(data, dict):
        raise ParameterError([f"{where}, line 1: must be a mapping of names to values, such as `month: 2`."])
    odd = [key for key in data if type(key) is not str]
    if odd:
        raise ParameterError([f"{where}: names must be text, got {', '.join(map(str, odd))}; put them in quotes."])
    return data


def _json(text: str) -> tuple[Any, str]:
    try:
        return json.loads(text, cls=_Decoder), ""
    except json.JSONDecodeError as error:
        return None, f"line {error.lineno}: {error.msg}."
    except ValueError:  # an integer with more digits than Python reads from text
        return None, "line 1: a number has too many digits."
    except RecursionError:
        return None, "line 1: nested too deeply."


class _Decoder(json.JSONDecoder):
    """JSON that refuses a name given twice in one object."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.parse_object = self._object
        # The scanner written in C does not call `parse_object`.
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # not in the stubs

    def _object(self, s_and_end: tuple[str, int], *rest: Any) -> tuple[Any, int]:
        text, start = s_and_end
        strict, scan_once, _, _, *memo = rest
        pairs, end = json.decoder.JSONObject(  # type: ignore[attr-defined]  # not in the stubs
            s_and_end, strict, scan_once, None, lambda found: found, *memo
        )
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise json.JSONDecodeError(f"the name '{key}' is given twice", text, _second(text, key, start))
            seen[key] = value
        return seen, end


def _second(text: str, key: str, start: int) -> int:
    """Where a name stands for the second time; the start of its object when it is written with escapes."""
    places = [match.start() for match in re.finditer(re.escape(json.dumps(key)) + r"\s*:", text[start:])]
    return start + places[1] if len(places) > 1 else start


def _yaml(text: str) -> tuple[Any, str]:
    try:
        return yaml.load(text, Loader=_Loader), ""  # noqa: S506 - a SafeLoader, made stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, f"line {mark.line + 1 if mark else 1}: {error.problem or error.context}."
    except yaml.reader.ReaderError as error:
        return None, f"line {text.count(chr(10), 0, error.position) + 1}: a character that YAML does not allow."
    except ValueError:  # an integer with more digits than Python reads from text
        return None, "line 1: a number has too many digits."
    except RecursionError:
        return None, "line 1: nested too deeply."


class _Loader(yaml.SafeLoader):
    """The safe loader without anchors, aliases, tags, merge keys, repeated names and dates."""

    # Empty: what plain text may mean is said below. (The ignore: the stubs call it an instance's.)
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # not in the stubs
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not allowed", event.start_mark)
        if getattr(event, "tag", None):
            raise yaml.composer.ComposerError(None, None, "tags are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse("a name must be text", key_node)
            key = self.construct_object(key_node, deep=True)
            if key in found:
                self._refuse(f"the name '{key}' is given twice", key_node)
            found[key] = self.construct_object(value_node, deep=True)
        return found

    def _refuse(self, problem: str, node: Any) -> None:
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


# As YAML 1.2 reads them, so that `no`, `12:30`, `007` and `2024-01-31` stay text. The first that matches wins.
_NUMBER = r"(?:0|[1-9][0-9]*)"
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", rf"[-+]?{_NUMBER}|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", rf"[-+]?(?:{_NUMBER}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
