"""Which notebook this kernel runs, as the front end tells: each has a way of its own."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

_PATIENCE = 2.0  # seconds for the server, which is on this machine


def notebook_file(names: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Path | None:
    """The notebook's file; None where nobody tells, as in a plain shell.

    VS Code puts a name into the user's namespace, JupyterLab and Notebook 7 name the file in the environment. The
    classic notebook names its folder there, and then the server that started the kernel is asked for the file.

    Args:
        names: the user's namespace.
        environ: the environment.
    """
    told = names.get("__vsc_ipynb_file__")
    if isinstance(told, str) and told:
        return Path(told)
    path = Path(environ["JPY_SESSION_NAME"]) if environ.get("JPY_SESSION_NAME") else None
    if path is None or not path.is_dir():
        return path
    return _asked(environ.get("JPY_PARENT_PID", ""))


@lru_cache(maxsize=1)
def _asked(server: str) -> Path | None:
    """The file of this kernel's session, as the server of this process id says; None where it does not."""
    with suppress(ImportError, OSError, ValueError, KeyError, TypeError, RuntimeError):
        from ipykernel.connect import get_connection_file
        from jupyter_core.paths import jupyter_runtime_dir

        kernel = Path(get_connection_file()).stem.removeprefix("kernel-")
        found = json.loads((Path(jupyter_runtime_dir()) / f"jpserver-{int(server)}.json").read_bytes())
        if urlsplit(found["url"]).scheme != "http" or urlsplit(found["url"]).hostname not in ("127.0.0.1", "localhost"):
            return None
        asked = urllib.request.Request(f"{found['url']}api/sessions?token={quote(found['token'])}")
        with urllib.request.urlopen(asked, timeout=_PATIENCE) as answer:
            sessions = json.loads(answer.read())
        paths = [session["path"] for session in sessions if session["kernel"]["id"] == kernel]
        return Path(found["root_dir"]) / paths[0] if paths else None
    return None
