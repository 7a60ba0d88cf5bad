"""`--resume` and `--no-cache`: which earlier results a run may use."""

from __future__ import annotations

from collections.abc import Callable

from p2p.cache import Reuse, going_on_with
from p2p.settings import Settings


def reuse_of(resume: str, no_cache: bool) -> Callable[[Settings], Reuse]:
    """Tells, once the project is known, what a run may use."""

    def of(settings: Settings) -> Reuse:
        return going_on_with(settings, resume, cache=not no_cache) if resume else Reuse(cache=not no_cache)

    return of
