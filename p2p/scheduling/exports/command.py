"""The command that another scheduler runs: words, never a line for a shell; and it needs no ledger."""

from __future__ import annotations

from collections.abc import Sequence

from p2p.errors import InputRefused
from p2p.params.plain import is_unicode
from p2p.scheduling.exports.model import Order
from p2p.scheduling.fields import field_of


def command_of(order: Order) -> list[str]:
    """The words of `p2p run` for a schedule; its times are told where a parameter needs them.

    Raises:
        InputRefused: a word that no command can have.
    """
    schedule = order.schedule
    times = [f"--when={schedule.when}", f"--tz={schedule.zone}"] if has_fields(order) else []
    params = [f"--param={name}={value}" for name, value in schedule.params.items()]
    words = [order.python, "-m", "p2p", "run", *params, *times, "--", schedule.target]
    _check([*words, order.folder])
    return words


def has_fields(order: Order) -> bool:
    """Whether a parameter stands for a fact of the tick."""
    return any(field_of(value) is not None for value in order.schedule.params.values())


def _check(words: Sequence[str]) -> None:
    for word in words:
        if "\0" in word:
            raise InputRefused(f"{word!r:.80} has a NUL, which no command takes.", cure="Leave it out.")
        if not is_unicode(word):
            raise InputRefused(f"{word!r:.80} is no Unicode text.", cure="Leave out what is half a character.")
