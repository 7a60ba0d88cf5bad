"""HTML for people, in which every text from outside is escaped: names, values, errors.

Fragments are `markupsafe.Markup`: whatever else is put into one is escaped on its way. Colours are those of the
notebook's theme where it tells them; where a page strips styles, as GitHub's does, what is left reads as plain tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from p2p.terminal import visible

_BORDER = "border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35))"
_CELL = "padding:.2em .7em;text-align:left;vertical-align:top"


def text(value: object) -> Markup:
    """A text as it is to be read: escaped, and its control characters shown."""
    return value if isinstance(value, Markup) else escape(visible(str(value)))


def joined(fragments: Iterable[object], separator: str = "") -> Markup:
    """Fragments one after the other; what is no Markup is escaped."""
    return Markup(separator).join(text(one) for one in fragments)


def title(main: object, beside: object = "") -> Markup:
    """A line that says what follows."""
    return Markup('<div style="margin:.3em 0"><b>{}</b> <span style="opacity:.75">{}</span></div>').format(
        text(main), text(beside)
    )


def table(columns: Sequence[object], rows: Iterable[Sequence[object]], *, caption: object = "") -> Markup:
    """A table with a head; a caption is read out before it."""
    head = joined(
        Markup('<th scope="col" style="{}">{}</th>').format(f"{_CELL};{_BORDER}", text(one)) for one in columns
    )
    body = joined(
        Markup("<tr>{}</tr>").format(joined(Markup('<td style="{}">{}</td>').format(_CELL, text(one)) for one in row))
        for row in rows
    )
    told = Markup("<caption>{}</caption>").format(text(caption)) if caption else Markup()
    return Markup(
        '<table style="border-collapse:collapse">{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(told, head, body)


def code(source: object) -> Markup:
    """Code, or anything whose spaces count."""
    return Markup('<pre style="margin:.3em 0;white-space:pre-wrap">{}</pre>').format(text(source))


def bar(done: float, total: float, description: object) -> Markup:
    """How many of how many are done."""
    return Markup('<progress style="width:20em" value="{}" max="{}" aria-label="{}"></progress>').format(
        text(done), text(total), text(description)
    )


def details(summary: object, inside: object) -> Markup:
    """What is seen when it is opened."""
    return Markup("<details><summary>{}</summary>{}</details>").format(text(summary), text(inside))


def link(address: str, words: object = "") -> Markup:
    """A link that opens beside the page; its text alone where the address is none of the web."""
    shown = text(words or address)
    if urlsplit(address).scheme not in ("http", "https"):
        return shown
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(text(address), shown)


def picture(data: bytes, description: object) -> Markup:
    """A PNG, in the page itself."""
    from base64 import b64encode

    return Markup('<img alt="{}" style="max-width:100%" src="data:image/png;base64,{}">').format(
        text(description), b64encode(data).decode()
    )
