"""Promotion: naming the version that production runs."""

from __future__ import annotations

from pathlib import Path

from p2p.errors import EvidenceRefused
from p2p.export import file_digests
from p2p.export.packages import known_version, promoted_version, set_promoted
from p2p.manifest import Manifest, read_manifest
from p2p.model import Finding
from p2p.settings import Settings


def promote(name: str, version: int, settings: Settings) -> tuple[int, int]:
    """Make `version` the promoted one; gives the version that was promoted before, and the new one.

    Raises:
        TargetError: there is no such version.
        EvidenceRefused: it was never verified, or its files are no longer those that were.
    """
    directory = known_version(settings.pipelines, name, version)
    manifest = read_manifest(directory)
    findings = [*_unverified(name, version, manifest), *_changed(name, version, manifest, directory)]
    if findings:
        raise EvidenceRefused(f"{name}@{version} was not promoted: {findings[0].what}", findings)
    before = promoted_version(settings.pipelines, name)
    set_promoted(settings.pipelines, name, version)
    return before, version


def _unverified(name: str, version: int, manifest: Manifest) -> list[Finding]:
    if manifest.tests.get("passed", 0):
        return []
    return [Finding(
        where=f"{name}@{version}", what="its manifest records no passed tests.",
        why="Nothing shows that it gives the notebook's results.", cure="Export the notebook again.",
    )]  # fmt: skip


def _changed(name: str, version: int, manifest: Manifest, directory: Path) -> list[Finding]:
    now = file_digests(directory)
    return [
        Finding(
            where=f"{name}@{version}, {path}", what=f"{path} is not the file that was verified.",
            why="A version never changes, and nothing shows what this one gives.",
            cure="Put the file back from git, or bring the change into the notebook and export it.",
        )
        for path, digest in manifest.files.items() if now.get(path) != digest
    ]  # fmt: skip
