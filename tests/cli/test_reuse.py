from __future__ import annotations

from p2p.cli.reuse import reuse_of
from p2p.settings import Settings


def test_results_of_equal_steps_are_used_unless_the_command_says_no(settings: Settings) -> None:
    assert reuse_of("", False)(settings).cache
    assert not reuse_of("", True)(settings).cache
