"""What must never be written down, and the mask that stands for it.

Pure: it knows of texts and plain data, and of no notebook, journal or tracker that uses it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "**********"
SHORTEST: Final = 4  # a shorter text stands in too many words: its mask would ruin what it is taken out of
SHORTEST_VARIABLE: Final = 6
# Fields that p2p reads: a password may be a common word (`error`, `json`, `2026`), and must not break what holds it.
_READ: Final = frozenset(
    {"format", "at", "by", "run_kind", "status", "run_id", "experiment", "experiment_id", "notebook_digest", "process"}
    | {"cell_id", "path", "folder", "step", "step_id", "id", "parent", "parent_id", "failed_step", "name", "state"}
    | {"digest", "source", "resumed_from", "first_run", "overridden", "packages", "python", "git_commit"}
)
_OF_VALUES: Final = frozenset({"inputs", "outputs", "values", "random", "kept"})  # what p2p says of values, by name
_FOR_PEOPLE: Final = frozenset({"preview", "reason"})
_LONG_LINE: Final = 12  # of a secret of several lines (a key), each line this long is masked by itself too

_NAME: Final = re.compile(
    r"(?:^|_)(?:TOKENS?|SECRETS?|API_?KEYS?|ACCESS_?KEYS?|PRIVATE_?KEYS?|CREDENTIALS?)(?:_|\d|$)|PASSWORD|PASSWD|._PWD$",
    re.IGNORECASE,
)
_NAME_OF_PLACE: Final = re.compile(r"_(?:FILE|PATH|DIR|FOLDER|URL|URI|HOST)$", re.IGNORECASE)
_URL_PASSWORD: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#\s:@]*:([^/?#\s]+)@")


class Masker:
    """Takes secrets out of texts and plain data, in whatever form a traceback, a page or a file writes them.

    Args:
        texts: the secrets; those under four characters are left out.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        # Longest first: one secret may be a part of another. What the mask itself holds would be masked for ever.
        forms = {form for text in texts if text not in MASK for form in _forms(text)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __bool__(self) -> bool:
        """Whether there is anything to mask."""
        return bool(self._forms)

    def text(self, text: str) -> str:
        """The text with the mask in the place of each secret."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def leaves(self, text: str) -> bool:
        """Whether there is nothing to mask in the text."""
        return not any(form in text for form in self._forms)

    def data(self, data: Any) -> Any:
        """Plain data with every text in it masked; the data itself where there is nothing to mask."""
        return self._masked(data) if self._forms else data

    def event(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields of an event, masked but for those that p2p itself reads: a password may be a common word."""
        if not self._forms:
            return fields
        return {name: self._field(name, value) for name, value in fields.items()}

    def references(self, data: Any) -> Any:
        """What p2p says of values, with the texts masked that it only shows: previews and reasons."""
        if not self._forms or not isinstance(data, Mapping):
            return data
        return {
            name: self.text(item) if name in _FOR_PEOPLE and isinstance(item, str) else self.references(item)
            for name, item in data.items()
        }

    def _field(self, name: str, value: Any) -> Any:
        if name in _READ:
            return value
        return self.references(value) if name in _OF_VALUES else self._masked(value)

    def _masked(self, data: Any) -> Any:
        if isinstance(data, str):
            return self.text(data)
        if data is None or isinstance(data, int | float):
            return data
        if isinstance(data, Mapping):
            return {self._key(key): self._masked(item) for key, item in data.items()}
        if isinstance(data, list | tuple | set | frozenset):
            return [self._masked(item) for item in data]
        shown = str(data)
        masked = self.text(shown)
        return data if masked == shown else masked

    def _key(self, key: Any) -> Any:
        """A key that is a name stays: it belongs to whoever made the data, even if it is somebody's password."""
        return key if str(key).isidentifier() else self._masked(key)


def environment_secrets(environment: Mapping[str, str]) -> frozenset[str]:
    """The values of variables that are named like secrets, and the passwords in values that are URLs.

    A value under six characters is none (`true`, `0`), and neither is the path of a file that holds one.
    """
    found = {value for name, value in environment.items() if names_secret(name) and not _is_file(value)}
    found |= {password for value in environment.values() for password in url_passwords(value)}
    return frozenset(text for text in found if len(text) >= SHORTEST_VARIABLE)


def url_passwords(text: str) -> Iterator[str]:
    """The passwords of the URLs in a text, as written there."""
    return (match[1] for match in _URL_PASSWORD.finditer(text))


def names_secret(name: str) -> bool:
    """Whether a variable of this name is likely to hold a secret, and not the place of one."""
    return bool(_NAME.search(name)) and not _NAME_OF_PLACE.search(name)


def _is_file(value: str) -> bool:
    try:
        return Path(value).is_absolute() and Path(value).exists()
    except (OSError, ValueError):
        return False


def _forms(text: str) -> set[str]:
    """The text and each of its long lines: as they are, escaped once, and escaped twice."""
    lines = [line.strip() for line in text.splitlines()] if "\n" in text else []
    once = {text, text.strip(), *(line for line in lines if len(line) >= _LONG_LINE)}
    for _ in range(2):
        once |= {form for known in once for form in _escaped(known)}
    return {form for form in once if len(form.strip()) >= SHORTEST}


def _escaped(text: str) -> Iterator[str]:
    whole = text.encode("utf-8", "surrogatepass")
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield repr("\"'" + text)[4:-1]  # within a text that has both quotes, the single one is escaped
    yield repr(whole)[2:-1]
    yield from (quote(whole), quote(whole, safe=""), quote_plus(whole))
    yield from (html.escape(text), html.escape(text, quote=False))
