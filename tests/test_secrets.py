"""A secret does not pass the mask, in whatever form it is written."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from p2p.secrets import MASK, Masker, environment_secrets, url_passwords

HARD = 'it\'s <a "secret" & é/\\ ?\n\U0001f511'
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nab==\n-----END KEY-----"


@pytest.mark.parametrize(
    "written",
    [
        str, repr, json.dumps, quote, quote_plus, html.escape,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: repr(f"'\"{text}"),
        lambda text: repr(text.encode()),
        lambda text: quote(text, safe=""),
        lambda text: html.escape(text, quote=False),
        lambda text: json.dumps(repr(text)),
        lambda text: html.escape(json.dumps([text])),
        lambda text: json.dumps(json.dumps({"key": text})),
    ],
)  # fmt: skip
def test_every_form_of_a_secret_is_masked(written: Callable[[str], str]) -> None:
    masked = Masker([HARD]).text(f"before {written(HARD)} after")
    assert MASK in masked
    assert [word for word in ("it", "secret", "U0001f511", "\U0001f511") if word in masked] == []
    assert masked.startswith("before ")
    assert masked.endswith(" after")


def test_a_key_of_several_lines_is_masked_line_by_line_too() -> None:
    assert "MIIEvQIBADANBgkqhkiG9w0B" not in Masker([KEY]).text("  1 MIIEvQIBADANBgkqhkiG9w0B\n  2 ab==")


def test_the_longer_of_two_secrets_leaves_nothing_of_itself() -> None:
    assert Masker(["swordfish", "swordfish-two"]).text("swordfish-two swordfish") == f"{MASK} {MASK}"


def test_texts_at_every_depth_of_plain_data_are_masked_and_the_rest_is_kept() -> None:
    data = {
        "a swordfish": [1, 2.5, None, True, {"a": ("x swordfish",)}],
        "path": Path("/tmp/swordfish"),
        "ok": Path("a"),
    }
    assert Masker(["swordfish"]).data(data) == {
        f"a {MASK}": [1, 2.5, None, True, {"a": [f"x {MASK}"]}], "path": f"/tmp/{MASK}", "ok": Path("a"),
    }  # fmt: skip


def test_without_secrets_the_data_is_given_back_as_it_is() -> None:
    data = {"a": [1]}
    assert Masker().data(data) is data
    assert not Masker(["", "abc", "*****"])  # too short to be told from any other text, or a part of the mask


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("GITHUB_TOKEN", "abcdefg", True), ("PGPASSWORD", "abcdefg", True), ("db_passwd", "abcdefg", True),
        ("MYSQL_PWD", "abcdefg", True), ("AWS_SECRET_ACCESS_KEY", "/abc/de", True), ("OPENAI_API_KEY", "abcdef", True),
        ("SSH_PRIVATE_KEY", "abcdefg", True), ("MY_CREDENTIALS", "abcdefg", True), ("MY_CREDENTIAL", "abcdefg", True),
        ("TOKEN", "short", False), ("TOKENIZERS_PARALLELISM", "false-false", False), ("PWD", "/nowhere/x", False),
        ("SECRETARY", "Miss Moneypenny", False), ("SSL_PRIVATE_KEY_FILE", "/nowhere/key", False),
        ("GOOGLE_CREDENTIALS", __file__, False), ("HOME", "/home/me", False), ("TOKEN_URL", "http://host/x", False),
    ],
)  # fmt: skip
def test_a_variable_is_a_secret_by_its_name(name: str, value: str, secret: bool) -> None:
    assert environment_secrets({name: value}) == (frozenset({value}) if secret else frozenset())


def test_the_password_in_a_url_is_a_secret_whatever_its_variable_is_called() -> None:
    assert environment_secrets({"DB": "postgresql://me:sword@fish@host:5432/db"}) == {"sword@fish"}
    assert list(url_passwords("http://host:80/a@b and https://token@host and file:///a:b@c")) == []


def test_a_password_that_is_a_common_word_breaks_no_event_that_holds_it() -> None:
    masker = Masker(["error", "json", "2026", "tuple"])
    ref = {"codec": "json", "digest": "2026", "preview": "json", "reason": "an error"}
    event = {
        "path": "error.ipynb", "error": "error", "step_id": "2026", "outputs": {"token": ref},
        "kept": {"run": "20261124T1", "form": "tuple", "inputs": {"json": "2026"}, "others": {"x": ref}},
    }  # fmt: skip
    masked = {**ref, "preview": MASK, "reason": f"an {MASK}"}
    assert masker.event(event) == {
        "path": "error.ipynb", "error": MASK, "step_id": "2026", "outputs": {"token": masked},
        "kept": {"run": "20261124T1", "form": "tuple", "inputs": {"json": "2026"}, "others": {"x": masked}},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["id", "type", "status", "digest", "output_type", "name", "preview"])
def test_no_key_of_somebody_elses_data_hides_a_secret(name: str) -> None:
    masker = Masker(["swordfish"])
    assert masker.data({name: "swordfish"}) == {name: MASK}
    assert masker.event({"params": {name: "swordfish"}}) == {"params": {name: MASK}}
