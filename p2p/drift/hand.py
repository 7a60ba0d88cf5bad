"""A version's files as they lie there now, beside those that the export wrote: what a hand has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from p2p.errors import AnalysisError
from p2p.export import file_digests
from p2p.export.packages import known_version
from p2p.manifest import Manifest, read_manifest
from p2p.settings import Settings

_MOST_NAMED = 5


@dataclass(frozen=True)
class Version:
    """One exported version.

    Attributes:
        changed: paths of files that are not as they were written, are gone, or came later.
        instead: by path, texts that count as a file's, though none lies there.
    """

    directory: Path
    manifest: Manifest
    changed: tuple[str, ...]
    instead: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.manifest.pipeline}@{self.manifest.version}"

    def read(self, name: str) -> str:
        """The text of one of its files, which must be Python. Raises AnalysisError where it is not, or is gone."""
        path = self.directory / name
        try:
            text = self.instead[name] if name in self.instead else path.read_text(encoding="utf-8")
            compile(text, name, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError) as error:
            raise AnalysisError(
                f"'{path}' cannot be read: {error}.", cure="Mend it, or get it back from git."
            ) from error
        return text

    def edited(self, name: str, text: str) -> Version:
        """The version as if that text had been written to one of its files."""
        return replace(self, changed=tuple(sorted({*self.changed, name})), instead={**self.instead, name: text})


def open_version(name: str, number: int, settings: Settings) -> Version:
    """A version and what has become of its files; TargetError when there is none."""
    directory = known_version(settings.pipelines, name, number)
    manifest = read_manifest(directory)
    now = file_digests(directory)
    paths = sorted({*now, *manifest.files})
    return Version(directory, manifest, tuple(p for p in paths if now.get(p) != manifest.files.get(p)))


def few(texts: Sequence[str]) -> str:
    """The first of some texts, and how many more there are."""
    more = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
