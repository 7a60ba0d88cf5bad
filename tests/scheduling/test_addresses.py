"""Where alerts go: addresses that are refused, shown without secrets, and sent to."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from p2p.errors import InputRefused
from p2p.scheduling.addresses import _problem, _service, check_address, send, shown
from p2p.scheduling.messages import Message, Tone
from tests.scheduling.inboxes import hook, mail_server

MESSAGE = Message("flights: nightly failed", "error: <script>alert(1)</script> & more\nstep: train", Tone.BAD)


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("json://me:geheim@localhost:8080/geheim?token=geheim&+Authorization=geheim", "json://localhost:8080/…"),
        ("mailto://me:geheim@example.com?to=ops@example.com", "mailto://example.com/…"),
        ("slack://TAAAAAAAA/BAAAAAAAA/CCCCCCCCCCCCCCCCCCCCCCCC", "slack://…"),
        ("https://hooks.slack.com/services/TAAAAAAAA/BAAAAAAAA/CCCCCCCCCCCCCCCCCCCCCCCC", "slack://…"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "tgram://…"),
        ("ntfy://geheimtopic", "ntfys://…"),
        ("gotify://example.com/token1234geheim", "gotify://example.com/…"),
        ("nonsense", "an address that Apprise does not know"),
        ("env:ALERT_URL", "env:ALERT_URL"),
    ],
)
def test_an_address_is_shown_without_what_could_be_a_secret(address: str, seen: str) -> None:
    assert shown(address) == seen


@pytest.mark.parametrize("address", ["geheim", "nothing://geheim", "json://", "slack://geheim", "env:", "env:a b"])
def test_an_address_that_nothing_can_be_sent_to_is_refused_without_telling_it(address: str) -> None:
    with pytest.raises(InputRefused) as refused:
        check_address(address, {})
    assert "geheim" not in str(refused.value)


def test_an_address_in_the_environment_is_judged_where_it_is_set() -> None:
    check_address("env:ALERT_URL", {})
    check_address("env:ALERT_URL", {"ALERT_URL": "json://localhost"})
    with pytest.raises(InputRefused, match="nonsense://…"):
        check_address("env:ALERT_URL", {"ALERT_URL": "nonsense://geheim"})


def test_a_web_hook_gets_the_message() -> None:
    with hook() as there:
        assert send(f"json://localhost:{there.port}/here", MESSAGE) == ""
    (body,) = there.bodies
    told = json.loads(body)
    assert (told["title"], told["message"], told["type"]) == (MESSAGE.title, MESSAGE.text, "failure")


def test_a_chat_like_slack_gets_the_message() -> None:
    with hook() as there:
        assert send(f"mmost://localhost:{there.port}/3ccdd113474722377935511fc85d3dd4", MESSAGE) == ""
    assert "nightly failed" in there.bodies[0]
    assert there.asked == ["/hooks/3ccdd113474722377935511fc85d3dd4"]


def test_a_mail_is_plain_text_and_what_a_run_has_said_is_no_markup_in_it() -> None:
    with mail_server() as there:
        address = f"mailto://localhost:{there.port}?from=p2p@example.com&to=ops@example.com"
        assert send(address, MESSAGE) == ""
        assert send(f"{address}&format=html", MESSAGE) == ""
    plain, rich = there.mails
    assert (plain["subject"], plain["to"]) == (MESSAGE.title, "ops@example.com")
    assert [part.get_content_type() for part in plain.walk() if not part.is_multipart()] == ["text/plain"]
    assert "<script>alert(1)</script> & more" in plain.get_content()
    page = next(part for part in rich.walk() if part.get_content_type() == "text/html")
    assert "&lt;script&gt;" in page.get_content()
    assert "<script" not in page.get_content()


def test_why_it_could_not_be_sent_is_told_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    with hook() as there:
        there.status = 500
        address = f"json://me:geheim1@localhost:{there.port}/geheim2?+Token=geheim3"
        problem = send(address, MESSAGE)
    assert "500" in problem
    assert "geheim" not in problem
    refused = send(address, MESSAGE)  # nobody listens there any more
    assert "onnection" in refused
    assert "geheim" not in refused
    assert caplog.text == ""


def test_what_a_service_says_is_told_without_a_piece_of_the_address() -> None:
    address = "json://me:geheim1@localhost/geheim2?+Token=geheim3"
    said = ["cannot log in to localhost", "as me:geheim1,", "geheim2 and geheim3 are wrong"]
    told = _problem(said, address, _service(address))
    assert "cannot log in to localhost" in told
    assert "geheim" not in told


def test_a_variable_that_is_not_set_is_told_and_one_that_is_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALERT_URL", raising=False)
    assert send("env:ALERT_URL", MESSAGE) == "The environment variable ALERT_URL is not set for this scheduler."
    with hook() as there:
        monkeypatch.setenv("ALERT_URL", f"json://localhost:{there.port}")
        assert send("env:ALERT_URL", MESSAGE) == ""
    assert len(there.bodies) == 1


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("apprise", ["schedule", "add", "every 1 h", "a.ipynb", "--alert", "json://localhost"]),
        ("cronsim", ["schedule", "add", "0 6 * * *", "a.ipynb"]),
    ],
)
def test_a_package_that_is_missing_is_told_in_one_line_with_the_extra(
    module: str, command: list[str], settings: object
) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; sys.argv[1:] = {command!r}"
    code += "; from p2p.cli import command; command()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert 'pip install "p2p-toolkit[schedule]"' in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
