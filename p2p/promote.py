"""Promotion: naming the version that production runs."""

from __future__ import annotations

from p2p.errors import EvidenceRefused
from p2p.export.packages import known_version, promoted_version, set_promoted
from p2p.manifest import read_manifest
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
    findings = _findings(name, version, manifest.tests.get("passed", 0))
    if findings:
        raise EvidenceRefused(f"{name}@{version} was not promoted: {findings[0].what}", findings)
    before = promoted_version(settings.pipelines, name)
    set_promoted(settings.pipelines, name, version)
    return before, version


def _findings(name: str, version: int, passed: int) -> list[Finding]:
    if passed:
        return []
    return [Finding(
        where=f"{name}@{version}", what="its manifest records no passed tests.",
        why="Nothing shows that it gives the notebook's results.", cure="Export the notebook again.",
    )]  # fmt: skip
