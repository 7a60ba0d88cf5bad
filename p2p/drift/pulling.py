"""Pull, told in one place: what was edited in a version goes back into the cells it came from, or nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from p2p.drift.blocks import CellText, Edit, edited
from p2p.drift.copies import Copy, edited_copies
from p2p.drift.hand import Version, open_version
from p2p.drift.importing import import_edits
from p2p.drift.origins import Origins
from p2p.drift.proof import unproven
from p2p.drift.regenerating import Regenerated, regenerate, with_sources
from p2p.drift.rewriting import NewCode
from p2p.drift.threeway import Edits, edits_of
from p2p.errors import AnalysisError, EvidenceRefused, TargetError
from p2p.export import emit
from p2p.export.units import Module, cut_module
from p2p.files import write_atomic
from p2p.model import Finding
from p2p.notebook import Notebook, read_notebook
from p2p.notebook.rewriting import rewrite
from p2p.settings import Settings

_STEPS = "steps.py"
_FOLLOWING = (_STEPS, "pipeline.py", "params.py")  # what of a version follows from its notebook alone


@dataclass(frozen=True)
class Pulled:
    """What a pull came to.

    Attributes:
        version: the version that was edited.
        notebook: the notebook.
        units: the functions and constants that were brought back.
        cells: numbers of the cells that have changed.
        left: edited files that have no place in a notebook; an export makes them anew.
        modules: edited copies of the author's own modules, brought back into these.
    """

    version: Version
    notebook: Notebook
    units: tuple[str, ...] = ()
    cells: tuple[int, ...] = ()
    left: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


def pull(name: str, number: int, settings: Settings, *, steps: str = "") -> Pulled:
    """Bring the edits of a version's `steps.py` into the notebook; everything else in its file stays as it is.

    Args:
        name: the pipeline's.
        number: of the version.
        settings: of the project.
        steps: what counts as the text of its `steps.py`, which stays as it is; the file's own when not given.

    Raises:
        InputRefused: there is no such version or notebook, or one of them cannot be read.
        EvidenceRefused: an edit has no place of its own in the notebook, or the notebook has changed there too.
            Nothing was written.
    """
    version = open_version(name, number, settings)
    version = version.edited(_STEPS, steps) if steps else version
    notebook = _notebook(version, settings)
    copies = edited_copies(version, settings.root)
    taken = (*_FOLLOWING, *(copy.path for copy in copies))
    done = Pulled(version, notebook, left=tuple(path for path in version.changed if path not in taken),
                  modules=tuple(copy.path for copy in copies))  # fmt: skip
    if not any(path in _FOLLOWING for path in version.changed):
        _write(notebook, {}, copies)
        return done
    now = regenerate(notebook, version.manifest)
    module = _by_hand(version, now)
    edits = edits_of(module, now, version.manifest)
    _refuse(version, edits.findings)
    sources = _sources(version, module, now, edits)
    after = _after(version, notebook, sources, edits)
    _refuse(version, unproven(version, module, now, after, edits))
    _write(notebook, sources, copies)
    return replace(done, units=(*edits.changed, *edits.dropped), cells=tuple(sorted(sources)))


def _notebook(version: Version, settings: Settings) -> Notebook:
    path = settings.root / version.manifest.notebook
    if not path.is_file():
        raise TargetError(
            f"{version.title} was made from '{version.manifest.notebook}', which is not there.",
            cure="Put the notebook back where it was.",
        )
    return read_notebook(path)


def _by_hand(version: Version, now: Regenerated) -> Module:
    """The edited module, laid out as the export lays it out."""
    text = version.read(_STEPS)
    return cut_module(emit.formatted(text, _STEPS), now.module.generated)


def _sources(version: Version, module: Module, now: Regenerated, edits: Edits) -> dict[int, str]:
    """By number: the cells that change, as they are to be."""
    origins, found, findings = Origins(now), list[Edit](), list[Finding]()
    homes: dict[str, CellText] = {}
    for name in edits.changed:
        try:
            found += origins.edits(module, name)
            homes[name] = origins.cell_of(name)
        except EvidenceRefused as refused:
            findings += [_named(finding, name) for finding in refused.findings]
    _refuse(version, findings)
    found += import_edits(module, homes, now.notebook.cells)
    return _applied(now.notebook, dict.fromkeys(found))


def _named(finding: Finding, unit: str) -> Finding:
    return Finding(f"{_STEPS}, '{unit}'", finding.what, finding.why, finding.cure)


def _applied(notebook: Notebook, edits: Iterable[Edit]) -> dict[int, str]:
    by_cell: dict[int, list[Edit]] = {}
    for edit in edits:
        by_cell.setdefault(edit.cell, []).append(edit)
    sources = {cell.number: cell.source for cell in notebook.cells}
    return {number: edited(sources[number], there) for number, there in by_cell.items()}


def _after(version: Version, notebook: Notebook, sources: Mapping[int, str], edits: Edits) -> Regenerated:
    """What an export would write after the pull."""
    try:
        return regenerate(with_sources(notebook, sources), version.manifest)
    except AnalysisError as error:
        where = f"{_STEPS}, {', '.join(map(repr, edits.changed)) or 'its wiring'}"
        finding = Finding(where, f"the notebook could not be exported with the edit: {error.message}",
                          "A pull brings back what an export gives again.", error.cure)  # fmt: skip
        raise _refusal(version, [finding]) from error


def _refuse(version: Version, findings: Iterable[Finding]) -> None:
    if found := list(findings):
        raise _refusal(version, found)


def _refusal(version: Version, findings: list[Finding]) -> EvidenceRefused:
    first = findings[0]
    more = f" ({len(findings) - 1} more below)" if len(findings) > 1 else ""
    return EvidenceRefused(f"{version.title} was not pulled: {first.where}: {first.what}{more}", findings)


def _write(notebook: Notebook, sources: Mapping[int, str], copies: Iterable[Copy]) -> None:
    """Put the cells into the notebook's file, unless it has changed since it was read, and the author's modules."""
    if sources:
        write_cells(notebook, sources)
    for copy in copies:
        write_atomic(copy.file, copy.text.encode("utf-8"), mode=copy.file.stat().st_mode & 0o777)


def write_cells(notebook: Notebook, sources: Mapping[int, str]) -> None:
    """Put other code into some cells of a notebook's file, by number, and of its partners'; all else stays.

    Raises:
        NotebookError: a file has changed since the notebook was read, or cannot be edited so. Nothing was changed.
    """
    rewrite(notebook, NewCode(sources), "pull")
