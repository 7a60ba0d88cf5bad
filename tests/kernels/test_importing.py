"""What a fresh kernel would have shown is not swallowed, and what no fork gets over is not forked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARIES = {
    "quiet": ("import warnings, json\nwarnings.warn('old', DeprecationWarning)", ""),
    "prints": ("print('hello')", "it shows something when it is imported: hello"),
    "to_stderr": ("import sys\nsys.stderr.write('hello\\n')", "it shows something"),
    "past_python": ("import os\nos.write(2, b'from C\\n')", "it shows something when it is imported: from C"),
    "child": ("import os\nos.system('echo from a child')", "from a child"),
    "warns": ("import warnings\nwarnings.warn('careful')", "UserWarning: careful"),
    "warns_main": ("import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)",
                   "DeprecationWarning: old"),
    "logs": ("import logging\nlogging.getLogger('x').warning('logged')", "logged"),
    "shows_warnings": ("import warnings\nwarnings.showwarning = print", "replaces warnings.showwarning"),
    "thread": ("from threading import Thread\nimport time\n"
               "Thread(target=time.sleep, args=(60,), name='busy', daemon=True).start()",
               "it starts a thread (busy)"),
    "file": ("import os\nkept = open(os.devnull)", "it keeps a file or device open"),
    "socket": ("import socket\nkept = socket.socket()", "it keeps a file or device open"),
    "shell": ("from IPython import get_ipython\ntry:\n    get_ipython().events.register('x', print)\n"
              "except AttributeError:\n    pass", "it uses the notebook's shell"),
    "shell_sets": ("get_ipython().colors = 'x'", "it uses the notebook's shell"),
    "asks_where": ("ip = get_ipython()\nassert hasattr(ip, 'kernel')\nassert 'IPKernelApp' in ip.config\n"
                   "assert type(ip).__name__ or True\nassert ip.__class__.__name__ == 'ZMQInteractiveShell'", ""),
    "fails": ("1 / 0", "it cannot be imported (ZeroDivisionError"),
    "own": ("import an_authors_module", "it imports the module 'an_authors_module', which is no library"),
    "terminal": ("import sys\nassert sys.stderr.isatty()", ""),
}  # fmt: skip
ASK = """
import json, sys
import ipykernel.zmqshell
from p2p.kernels.importing import State, run_import, watching
with watching() as watched:
    before = State()
    why = run_import(f"import {sys.argv[1]}") or watched.objection(before)
print(json.dumps(why))
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("libraries")
    (root / "site-packages").mkdir()
    (root / "an_authors_module.py").touch()
    for name, (text, _why) in LIBRARIES.items():
        (root / "site-packages" / f"{name}_lib.py").write_text(text)
    return os.pathsep.join([str(root / "site-packages"), str(root), str(Path(__file__).resolve().parents[2])])


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_speaks_against_importing_ahead_is_told(path: str, name: str) -> None:
    env = {**os.environ, "PYTHONPATH": path}
    told = subprocess.run(
        [sys.executable, "-c", ASK, f"{name}_lib"], env=env, capture_output=True, text=True, check=True, timeout=120
    )  # fmt: skip
    why = json.loads(told.stdout)
    expected = LIBRARIES[name][1]
    assert (expected in why) if expected else (why == "")
