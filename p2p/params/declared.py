"""What a parameters cell declares, read from its source alone: nothing here runs or imports anything.

Read with `ast` and `tokenize`, so that a `#` inside a string is no comment and a value may span lines.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from p2p.errors import NotebookError

PRAGMAS = ("noqa", "type: ignore", "pyright:", "pylint:", "pragma:", "fmt:", "isort:")
Comments = Mapping[int, tuple[str, bool]]


@dataclass(frozen=True)
class Declared:
    """One parameter as its author wrote it.

    Attributes:
        name: the name that the cell binds.
        annotation: source text of the annotation; None where there is none.
        default: source text of the value; None where a value must be given.
        help: the comment beside it, or the comment lines directly above it; empty when there are none.
        line: line of the cell, counted from 1.
    """

    name: str
    annotation: str | None
    default: str | None
    help: str
    line: int


def declared(source: str) -> tuple[Declared, ...]:
    """The parameters that a cell declares, in the order of their lines; of two with one name the last counts.

    Raises:
        NotebookError: the cell is not Python; names the line.
    """
    last: dict[str, Declared] = {}
    for item in assignments(source):
        if not item.name.startswith("_"):
            last.pop(item.name, None)
            last[item.name] = item
    return tuple(last.values())


def assignments(source: str) -> tuple[Declared, ...]:
    """Every top-level `name = value`, `name: type = value` and `name: type`, repeated and private names included."""
    code = without_magics(source)
    tree = parse_cell(code)
    comments = _comments(code)
    return tuple(item for node in tree.body for item in _declared_by(node, code, comments))


def parse_cell(code: str) -> ast.Module:
    """The syntax tree of a cell free of magics; a NotebookError names the line that is not Python."""
    try:
        return ast.parse(code)
    except SyntaxError as error:
        where, what = f"line {error.lineno or 1}", error.msg
    except (ValueError, RecursionError, MemoryError) as error:
        where, what = "as a whole", str(error) or type(error).__name__
    raise NotebookError(
        f"The parameters cell is not valid Python, {where}: {what}.",
        cure="Keep to lines such as `month: int = 1  # what it means`.",
    )


def without_magics(source: str) -> str:
    """The source with each IPython line (`%...`, `!...`) replaced by `pass`; every line keeps its number."""
    lines = source.replace("\r\n", "\n").split("\n")
    if not any(line.lstrip()[:1] in {"%", "!"} for line in lines):
        return "\n".join(lines)
    clean: list[str] = []
    continued = False
    for line in lines:
        stripped = line.lstrip()
        if continued or (stripped[:1] in {"%", "!"} and not _inside_statement(clean)):
            clean.append("" if continued else line[: len(line) - len(stripped)] + "pass")
            continued = line.endswith("\\")
        else:
            clean.append(line)
    return "\n".join(clean)


def _inside_statement(lines: Sequence[str]) -> bool:
    """Whether the text ends within a bracket, a triple-quoted string or a continued line."""
    if lines and lines[-1].endswith("\\"):
        return True
    try:
        for _ in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            pass
    except tokenize.TokenError as error:
        # The words differ between 3.11 and 3.12; both have one of these.
        return any(word in str(error) for word in ("multi-line", "triple-quoted"))
    except SyntaxError:
        return False
    return False


def _declared_by(node: ast.stmt, code: str, comments: Comments) -> Iterator[Declared]:
    if isinstance(node, ast.AnnAssign):
        annotation: str | None = _segment(code, node.annotation)
        targets: list[ast.expr] = [node.target]
    elif isinstance(node, ast.Assign):
        targets, annotation = node.targets, None
    else:
        return
    default = None if node.value is None else _segment(code, node.value)
    for target in targets:
        if isinstance(target, ast.Name):
            yield Declared(target.id, annotation, default, _help(node, comments), node.lineno)


def _segment(code: str, node: ast.expr) -> str:
    """The node's own text, which parses alone: brackets that held its lines together are put back."""
    text = ast.get_source_segment(code, node) or ast.unparse(node)
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return f"({text})"
    return text


def _comments(code: str) -> Comments:
    """Of each line with a comment: its text, and whether the line holds nothing else."""
    lines = code.split("\n")
    found: dict[int, tuple[str, bool]] = {}
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            text = " ".join(token.string.lstrip("#").split())
            alone = not lines[token.start[0] - 1][: token.start[1]].strip()
            found[token.start[0]] = ("" if text.startswith(PRAGMAS) else text, alone)
    return found


def _help(node: ast.stmt, comments: Comments) -> str:
    for line in (node.end_lineno or node.lineno, node.lineno):
        text, alone = comments.get(line, ("", False))
        if text and not alone:
            return text
    return " ".join(reversed(list(_above(node.lineno, comments))))


def _above(line: int, comments: Comments) -> Iterator[str]:
    """The comment lines that touch `line` from above, nearest first."""
    while comments.get(line - 1, ("", False))[1]:
        line -= 1
        if comments[line][0]:
            yield comments[line][0]


def import_lines(sources: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Of each name that a top-level import of these cells binds: the import lines that bind it.

    A later import of the same name replaces an earlier one, except that `import a.b` and `import a.c` add up.
    Cells that are not Python (`%%bash`) are passed over.
    """
    found: dict[str, tuple[str, ...]] = {}
    for source in (source for source in sources if "import" in source):
        for name, line in _imports(source):
            before = found.get(name, ())
            adds_up = all(text.startswith("import ") and " as " not in text for text in (*before, line))
            found[name] = tuple(dict.fromkeys((*before, line))) if adds_up else (line,)
    return found


def _imports(source: str) -> Iterator[tuple[str, str]]:
    try:
        body = parse_cell(without_magics(source)).body
    except NotebookError:
        return
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], ast.unparse(ast.Import([alias]))
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            for alias in (a for a in node.names if a.name != "*"):
                line = ast.unparse(ast.ImportFrom(node.module, [alias], node.level))
                yield alias.asname or alias.name, line
