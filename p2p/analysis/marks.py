"""The mark of a step cell: `%%step clean(flights) -> tidy --retries 2 --timeout 60`. Text in, `Mark` out."""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from p2p.errors import AnalysisError, nearest
from p2p.policy import Named, Policy

_MARK_LINE = re.compile(r"[ \t]*%%step(?=\s|$)(?P<rest>.*)")
_HEAD = re.compile(r"(?P<name>[^\s(]*)\s*(?P<inputs>\(.*\))?\s*(?P<extra>.*)")
_FORM = "Write `%%step name`, or `%%step name(input, ...) -> output, ...  --retries 2 --timeout 60`."


@dataclass(frozen=True)
class Mark:
    """What the first line of a step cell says.

    Attributes:
        name: the step's name.
        inputs: the declared inputs; empty for `()`; None when not declared, to be inferred.
        outputs: the declared outputs; empty for `-> ()` or `-> None`; None when not declared, to be inferred.
        policy: retries, timeout and the like; a fallback as a `Named`.
    """

    name: str
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    policy: Policy = field(default_factory=Policy)


def is_step_mark(source: str) -> bool:
    """Whether the first line with text is a `%%step` mark, well formed or not."""
    return bool(_MARK_LINE.match(source.lstrip("\r\n \t")))


def split_mark(source: str) -> tuple[Mark | None, str]:
    """The mark and the body of a cell; (None, source) where there is no mark.

    The body keeps its line numbers: the line of the mark is left empty. AnalysisError for a mark that cannot be read.
    """
    if not is_step_mark(source):
        return None, source
    lines = source.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.strip())
    match = _MARK_LINE.match(lines[at])
    mark = _parse(match["rest"] if match else "", at + 1)
    end = lines[at][len(lines[at].rstrip("\r\n")) :]
    return mark, "".join([*lines[:at], end, *lines[at + 1 :]])


def parse_mark(text: str) -> Mark:
    """The mark whose line reads `text` after `%%step`, as a cell magic is given it."""
    return _parse(text, 1)


def _parse(text: str, line: int) -> Mark:
    text = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
    head, options = _split_options(text)
    left, arrow, right = head.partition("->")
    name, inputs = _name_and_inputs(left.strip(), line)
    outputs = _names(right.strip(), "output", line) if arrow else None
    if outputs == () and not _says_nothing(right):
        raise _refused(line, "nothing is named after `->`", "Name the outputs, or drop the arrow to infer them.")
    return Mark(name, inputs, outputs, _policy(options, line))


def _split_options(text: str) -> tuple[str, list[str]]:
    """The text before the first word that begins with a dash and is no arrow, and the words from there on."""
    match = re.search(r"(?:^|\s)-(?!>)", text)
    if not match:
        return text, []
    return text[: match.start()].strip(), text[match.start() :].split()


def _name_and_inputs(left: str, line: int) -> tuple[str, tuple[str, ...] | None]:
    match = _HEAD.fullmatch(left)
    if not match or not match["name"]:
        raise _refused(line, "the step has no name", _FORM)
    name = _identifier(match["name"], "step name", line)
    if name.startswith("_"):
        cure = f"Call it '{name.strip('_') or 'load'}'."
        raise _refused(line, f"the step name '{name}' starts with an underscore", cure)
    if match["extra"]:
        raise _refused(line, f"'{match['extra']}' after the name '{name}' is not understood", _FORM)
    inputs = match["inputs"]
    return name, None if inputs is None else _names(inputs, "input", line)


def _says_nothing(text: str) -> bool:
    return text.replace(" ", "") in ("()", "None")


def _names(text: str, what: str, line: int) -> tuple[str, ...]:
    """The names in `a, b`, `(a, b)` or `()`."""
    if _says_nothing(text):
        return ()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    parts = [part.strip() for part in text.split(",")]
    if not parts[-1]:  # nothing at all, or a trailing comma
        parts.pop()
    names = tuple(_identifier(part, what, line) for part in parts)
    for name in names:
        if names.count(name) > 1:
            raise _refused(line, f"the {what} '{name}' is named twice", "Name it once.")
    return names


def _identifier(text: str, what: str, line: int) -> str:
    name = unicodedata.normalize("NFKC", text)  # as Python itself reads identifiers
    if keyword.iskeyword(name):
        raise _refused(line, f"the {what} '{text}' is a keyword of Python", f"Call it '{name.lower()}_'.")
    if not name.isidentifier():
        suggestion = re.sub(r"\W+", "_", name).strip("_")
        cure = f"Call it '{suggestion}'." if suggestion.isidentifier() else "Use letters, digits and underscores."
        raise _refused(line, f"the {what} '{text}' is not a Python name", cure)
    return name


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.strip(",").split(","))


def _fallback(text: str) -> Named:
    name = unicodedata.normalize("NFKC", text)
    if keyword.iskeyword(name) or not name.isidentifier():
        raise ValueError(text)
    return Named(name)


def _whole(text: str) -> int:
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_OPTIONS: dict[str, tuple[Callable[[str], Any], str]] = {
    "retries": (_whole, "a whole number, such as `--retries 2`"),
    "timeout": (_finite, "a number of seconds, such as `--timeout 60`"),
    "backoff": (_finite, "a number of seconds, such as `--backoff 0.5`"),
    "jitter": (_finite, "a number from 0 to 1, such as `--jitter 0.5`"),
    "max-delay": (_finite, "a number of seconds, such as `--max-delay 60`"),
    "give-up": (_finite, "a number of seconds, such as `--give-up 600`"),
    "retry-on": (_listed, "the names of exceptions, such as `--retry-on ConnectionError,TimeoutError`"),
    "fallback": (_fallback, "the name of a value or function, such as `--fallback last_known`"),
    "files": (_listed, "paths, such as `--files rates.csv,codes.json`"),
}
_SWITCHES: dict[str, tuple[str, Any]] = {"no-cache": ("cache", False)}


def _policy(words: list[str], line: int) -> Policy:
    given: dict[str, Any] = {}
    rest = list(words)
    while rest:
        option, equals, text = rest.pop(0).partition("=")
        name = _option_name(option, line)
        field, value = _SWITCHES.get(name, (name.replace("-", "_"), None))
        if field in given:
            raise _refused(line, f"the option `--{name}` is given twice", "Give it once.")
        if name not in _SWITCHES:
            value = _value(name, text if equals else _next_words(rest), line)
        elif equals:
            raise _refused(line, f"`--{name}` takes no value", f"Write `--{name}` alone.")
        given[field] = value
    try:
        return Policy(**given)
    except ValueError as error:
        raise _refused(line, str(error), "Change the option.") from error


def _option_name(word: str, line: int) -> str:
    name = word.lstrip("-")
    known = [*_OPTIONS, *_SWITCHES]
    if word.startswith("--") and name in known:
        return name
    close = "retries" if name == "retry" else nearest(name, known)
    cure = f"Did you mean `--{close}`?" if close else "The options are " + ", ".join(f"`--{o}`" for o in known) + "."
    what = f"there is no option `{word}`" if word.startswith("-") else f"'{word}' among the options is not understood"
    raise _refused(line, what, cure)


def _next_words(rest: list[str]) -> str:
    """The next word, and those after it while a comma says that the list goes on."""
    text = rest.pop(0) if rest else ""
    while text.endswith(",") and rest and not rest[0].startswith("-"):
        text += rest.pop(0)
    return text


def _value(name: str, text: str, line: int) -> Any:
    convert, wanted = _OPTIONS[name]
    try:
        if not text:
            raise ValueError(name)
        return convert(text)
    except ValueError:
        what = f"`--{name}` is given '{text}', which it cannot take" if text else f"`--{name}` has no value"
        raise _refused(line, what, f"Give {wanted}.") from None


def _refused(line: int, what: str, cure: str) -> AnalysisError:
    return AnalysisError(f"The step mark in line {line} cannot be used: {what}.", cure=cure, fields={"line": line})
