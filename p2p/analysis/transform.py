"""IPython's syntax turned into plain Python text, line for line, so that `ast` can read a cell.

Line numbers are kept: what IPython's transformer shortens is filled up with empty lines. Knows nothing of notebooks.
"""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from typing import Any

from p2p.errors import AnalysisError

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MAYBE_IPYTHON = re.compile(r"^[ \t]*[%!?]|\?[ \t]*$", re.MULTILINE)
# Cell magics that only wrap the code below them: the code counts, the magic does not.
_TRANSPARENT_CELL = re.compile(r"[ \t]*%%((time|step)(\s|$)|capture(\s+--\S+)*\s*$)")
# Line magics that people write without their percent sign, alone in a cell, and which are then no Python.
_AUTOMAGIC = re.compile(
    r"(cd|ls|ll|cat|cp|mv|rm|mkdir|rmdir|less|more|man|pip|conda|mamba|uv|run|matplotlib|load_ext|reload_ext|autoreload"
    r"|who|whos|time|timeit|prun|env|set_env|pinfo|pdoc|psource|store|reset|config|pylab|load|pushd|history|save)\s+\S.*"
)
_TIMED_LINE = re.compile(r"(?P<lead>\s*|.*=\s*)get_ipython\(\)\.run_line_magic\('time', (?P<code>'.*'|\".*\")\)\s*$")


def to_python(source: str) -> str:
    """The cell as plain Python text with the same line numbers.

    Magics and shell lines become the calls that IPython makes of them. `%%step`, `%%time`, `%time` and a bare
    `%%capture` are taken away, because the code they wrap binds names as if they were not there. Text that is no
    Python stays as it is.
    """
    return _transformed(source)[0]


def magics(source: str) -> tuple[tuple[int, str], ...]:
    """Lines that only IPython can run, as (line number, text): `%matplotlib inline`, `!ls`, `x = !ls`, `%%bash`, `f?`.

    What `to_python` takes away (such as `%%step` and `%time`) is not listed. Of a cell magic the first line is given.
    """
    return _transformed(source)[1]


CELLS = 2048  # how many cells are kept as read; each is looked at several times


def split_lines(text: str, *, keepends: bool = False) -> list[str]:
    """The lines as Python counts them; `str.splitlines` also cuts at form feeds and at U+2028."""
    lines = _LINE.findall(text)
    return lines if keepends else [line.rstrip("\r\n") for line in lines]


@lru_cache(maxsize=CELLS)
def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a cell, not to be changed; AnalysisError with the line where it is no Python for a cell."""
    python = to_python(source)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(python)
            # Compiling finds what parsing lets pass: a `return` outside a function, a `nonlocal` without a binding.
            compile(python, "<cell>", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise _syntax_refused(error, python) from error
    except RecursionError as error:
        raise too_deep() from error
    return tree


def too_deep() -> AnalysisError:
    """The error for code that exceeds Python's own limit of nesting."""
    return AnalysisError("The cell is nested too deeply to be read.", cure="Split its longest expression.")


def _syntax_refused(error: SyntaxError | ValueError, python: str) -> AnalysisError:
    line = getattr(error, "lineno", None) or 1
    lines = split_lines(python)
    text = lines[line - 1].strip() if line <= len(lines) else ""
    reason = getattr(error, "msg", None) or str(error)
    return AnalysisError(
        f"Line {line} is not valid Python: {reason}: `{text}`.",
        cure="Mend the line, or leave the cell without a mark.",
        fields={"line": line, "text": text},
    )


@lru_cache(maxsize=CELLS)
def _transformed(source: str) -> tuple[str, tuple[tuple[int, str], ...]]:
    if not _MAYBE_IPYTHON.search(source) and _parses(source):
        return source, ()
    found: dict[int, str] = {}
    lines = _automagic(_clean(split_lines(source, keepends=True)))
    lines = _without_transparent_magics(lines)
    lines = _cell_magic(lines, found)
    if not found:
        lines = _line_magics(lines, found)
    return "".join(lines), tuple(sorted(found.items()))


def _parses(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


@lru_cache(maxsize=1)
def _manager() -> Any:
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()  # type: ignore[no-untyped-call]


def _clean(lines: list[str]) -> list[str]:
    """The lines without prompts and common indentation; leading empty lines, which IPython drops, stay."""
    if lines and not lines[-1].endswith("\n"):
        lines = [*lines[:-1], lines[-1] + "\n"]
    blank = _leading_blank(lines)
    body = lines[blank:]
    for clean in _manager().cleanup_transforms:
        body = clean(body)
    return ["\n"] * blank + list(body)


def _automagic(lines: list[str]) -> list[str]:
    """The lines of a cell with one line, `cd data`, with the percent sign that IPython lets people leave out there."""
    blank = _leading_blank(lines)
    text = "".join(lines[blank:]).strip()
    if len(lines) - blank != 1 or not _AUTOMAGIC.fullmatch(text) or _parses(text):
        return lines
    return [*lines[:blank], f"%{text}\n"]


def _leading_blank(lines: list[str]) -> int:
    return next((i for i, line in enumerate(lines) if line.strip()), len(lines))


def _without_transparent_magics(lines: list[str]) -> list[str]:
    first = _leading_blank(lines)
    while first < len(lines) and _TRANSPARENT_CELL.match(lines[first]):
        lines = _clean([*lines[:first], "\n", *lines[first + 1 :]])
        first = _leading_blank(lines)
    return lines


def _cell_magic(lines: list[str], found: dict[int, str]) -> list[str]:
    first = _leading_blank(lines)
    body = lines[first:]
    for transform in _manager().line_transforms:
        changed = list(transform(body))
        if changed != body:
            found[first + 1] = body[0].strip()
            body = changed + ["\n"] * (len(body) - len(changed))
    return lines[:first] + body


def _line_magics(lines: list[str], found: dict[int, str]) -> list[str]:
    """The lines after every token transform of IPython, one at a time, so that each is told and none moves a line."""
    for _ in range(500):  # IPython's own limit
        changed, after = _one_transform(lines)
        if not changed or after == lines:
            return lines
        at = next((i for i, (a, b) in enumerate(zip(lines, after, strict=False)) if a != b), len(after) - 1)
        span = 1 + len(lines) - len(after)
        code = _untimed(after[at])
        if code is None:
            found[at + 1] = "".join(lines[at : at + span]).strip()
        lines = [*after[:at], code or after[at], *["\n"] * (span - 1), *after[at + 1 :]]
    return lines


def _one_transform(lines: list[str]) -> tuple[bool, list[str]]:
    try:
        changed, after = _manager().do_one_token_transform(lines)
    except SyntaxError:  # text that IPython cannot transform is reported when it is parsed
        return False, lines
    return changed, list(after)


def _untimed(line: str) -> str | None:
    """The code that `%time` wraps, with what stood before it; None for any other line."""
    match = _TIMED_LINE.match(line)
    if not match:
        return None
    code = str(ast.literal_eval(match["code"]))
    return f"{match['lead']}{code}\n" if code.strip() and _parses(code) else None
