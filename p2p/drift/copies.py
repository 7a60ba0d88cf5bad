"""Edits of the modules that a version holds copies of, brought back into the author's own files."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from blake3 import blake3

from p2p.analysis import split_lines
from p2p.drift.hand import Version
from p2p.errors import AnalysisError, EvidenceRefused
from p2p.export.moving import PACKAGE, moved_file, top_names
from p2p.model import Finding


@dataclass(frozen=True)
class Copy:
    """An edited copy.

    Attributes:
        path: in the version.
        file: the author's own.
        text: what that is to hold.
    """

    path: str
    file: Path
    text: str


def edited_copies(version: Version, root: Path) -> list[Copy]:
    """The copies that were edited by hand, with what the files they were made of are to hold.

    Raises:
        EvidenceRefused: such a file has changed, too, or an edit is of an import that reads otherwise there.
    """
    found = list(_edited(version, root))
    findings = [part for part in found if isinstance(part, Finding)]
    if findings:
        first = findings[0]
        raise EvidenceRefused(f"{version.title} was not pulled: {first.where}: {first.what}", findings)
    return [part for part in found if isinstance(part, Copy)]


def _edited(version: Version, root: Path) -> Iterator[Copy | Finding]:
    for path, facts in version.manifest.modules.items():
        copy, file = f"{PACKAGE}/{path}", root / facts["file"]
        if copy in version.changed:
            yield _out_of_reach(copy, file, facts, root) or _brought_back(version, path, file)


def _out_of_reach(copy: str, file: Path, facts: Mapping[str, str], root: Path) -> Finding | None:
    """Why a file of the author's own cannot take an edit; None where it can."""
    which = f"'{facts['file']}', of which it is a copy,"
    if not file.resolve().is_relative_to(root.resolve()):
        what = f"{which} lies outside of the project."
        return Finding(copy, what, "p2p writes nothing there.", "Make the edit there by hand.")
    if not file.is_file() or blake3(file.read_bytes()).hexdigest() != facts["digest"]:
        what = f"{which} has changed there too."
        return Finding(copy, what, "One of the two edits would be lost.", "Make the edit in one of them by hand.")
    return None


def _brought_back(version: Version, path: str, file: Path) -> Copy | Finding:
    copy, names = f"{PACKAGE}/{path}", top_names(version.manifest.modules)
    try:
        original, edited = file.read_text(encoding="utf-8-sig"), version.read(copy)
    except AnalysisError as error:
        return Finding(copy, error.message, "A pull brings back what runs.", error.cure)
    text = _merged(original, moved_file(path, original, names), edited)
    if moved_file(path, text, names) == edited and not _leaves_its_package(path, text):
        return Copy(copy, file, text)
    what = "an import was edited, which reads otherwise in the author's own file."
    return Finding(
        copy, what, "A pull brings back what an export gives again.", f"Make the edit in '{file.name}' by hand."
    )


def _leaves_its_package(path: str, text: str) -> bool:
    """Whether a text has a relative import that only the version's package `modules` gives a meaning."""
    found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom))
    return any(node.level > path.count("/") for node in found)


def _merged(original: str, copied: str, edited: str) -> str:
    """The original with the lines that differ between its copy and the edited copy."""
    lines, before, after = (split_lines(text, keepends=True) for text in (original, copied, edited))
    if len(lines) != len(before):
        return edited  # which an import of several lines makes so; whether it is right is seen by its copy
    parts = [
        lines[start:end] if kind == "equal" else after[first:last]
        for kind, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    ]
    return "".join(line for part in parts for line in part)
