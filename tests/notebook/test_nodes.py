"""nbformat is there at once, and nobody who uses jsonschema finds it changed."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASKS = """
import sys
import p2p.notebook
before = "jsonschema" in sys.modules
from p2p.notebook.nodes import nbformat
made = nbformat()
grammar = "rfc3987_syntax" in sys.modules
import jsonschema
valid = [jsonschema.FormatChecker().conforms(text, "iri") for text in ("http://bücher.example/", "no address")]
import nbformat as plain, rfc3987_syntax
print(before, grammar, valid, plain is made, hasattr(rfc3987_syntax, "parse"))
"""


def test_the_grammar_is_built_when_a_format_needs_it_and_not_before() -> None:
    pytest.importorskip("rfc3987_syntax", reason="jupyter_server brings it, and with it the cost that is saved here")
    done = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False [True, False] True True"
