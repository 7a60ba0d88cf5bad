"""Each claim of SECURITY.md names a test; here, that the test is there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "SECURITY.md"


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`([\w/]*\.py)?(?:::(test_\w+))?`", PAGE.read_text(encoding="utf-8"))
    named = [(file, test) for file, test in named if file or test]
    assert len(named) > 20
    file = ""
    for given, test in named:
        file = given or file  # `::test_x` is of the file that was named before it
        assert (TESTS / file).is_file(), file
        assert not test or f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), test
