"""Calls that set something up by side effect: a seed, an option, a warning filter, a style."""

from __future__ import annotations

import re

SETTING = re.compile(
    r"^(set_|set$|setLevel|filter|simplefilter|seed$|use$|option|register|enable|disable|config|autolog|basicConfig"
    r"|manual_seed|rc$|rcParams)"
)
"""Names of functions that do so."""
