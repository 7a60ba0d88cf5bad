"""HTML for people: what comes from outside is text in it."""

from __future__ import annotations

import pytest

from p2p import markup


def test_a_link_opens_beside_the_page_and_gives_nothing_away() -> None:
    shown = str(markup.link("https://there/#/a?b=1&c=\"'<", "<b>"))
    assert 'href="https://there/#/a?b=1&amp;c=&#34;&#39;&lt;"' in shown
    assert 'target="_blank" rel="noopener noreferrer">&lt;b&gt;</a>' in shown


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//there", " javascript:alert(1)", ""])
def test_what_is_no_address_of_the_web_is_no_link(address: str) -> None:
    assert str(markup.link(address, "words")) == "words"
