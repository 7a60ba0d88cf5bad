from __future__ import annotations

import pytest

from p2p.errors import InputRefused
from p2p.quantities import bytes_in, seconds_in, size_text


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [("0", 0), ("1000", 1000), ("20GB", 20 * 10**9), ("1.5 gib", 3 * 2**29), (" 7kB ", 7000), ("2TB", 2 * 10**12)],
)
def test_sizes_are_read_as_people_write_them(text: str, nbytes: int) -> None:
    assert bytes_in(text, "it") == nbytes


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000)])
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_in(text, "it") == seconds


def test_times_need_a_unit() -> None:
    with pytest.raises(InputRefused, match="12h"):
        seconds_in("5", "it")


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "1e9", "20 GBs", "١GB", "nan", "9" * 16, "1\n2"])
def test_anything_else_is_refused_and_named(text: str) -> None:
    with pytest.raises(InputRefused, match=r"--limit is .* which cannot be read"):
        bytes_in(text, "--limit")


def test_sizes_are_shown_with_three_digits() -> None:
    shown = [size_text(n) for n in (0, 999, 1000, 1_234_567, 999_600, 20 * 10**9)]
    assert shown == ["0 B", "999 B", "1 KB", "1.23 MB", "1 MB", "20 GB"]
