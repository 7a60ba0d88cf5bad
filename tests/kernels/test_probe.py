"""What code can see of its kernel is the same in a forked one, and nothing of another run's is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kernels.place import FORKED, MODES, Place, texts

PROBE = """
import os, random, re, signal, sys, threading, warnings, logging, json
from pathlib import Path
import numpy, pandas, sklearn
def fd(name):
    try:
        return os.readlink(f"/proc/self/fd/{name}").split(":")[0]
    except OSError:
        return None  # the one that lists the folder
ours = ("P2P_RUN", "MLFLOW_RUN_ID", "JPY_PARENT_PID", "MLFLOW_EXPERIMENT_ID")
print(json.dumps({
    "environment": {k: v for k, v in os.environ.items() if k not in ours},
    "parent": os.environ["JPY_PARENT_PID"] == str(os.getppid()),
    "order": [k for k in os.environ],
    "cwd": os.getcwd(),
    "path": sys.path,
    "argv": [a.replace(sys.argv[2], "FILE") for a in sys.argv],
    "command": [a.replace(sys.argv[2], "FILE") for a in sys.orig_argv],
    "flags": repr(sys.flags),
    "options": [sys._xoptions, sys.warnoptions],
    "main": sorted(k for k in vars(sys.modules["__main__"]) if k.startswith("__")),
    "signals": {s.name: str(signal.getsignal(s)).split(" at ")[0] for s in signal.Signals},
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "descriptors": sorted(Path(name).name for name in filter(None, map(fd, os.listdir("/proc/self/fd")))),
    "threads": sorted(re.sub("Thread-[0-9]+", "Thread", t.name) for t in threading.enumerate()),
    "filters": [str(f) for f in warnings.filters],
    "registry": {n: sorted(map(str, m.__warningregistry__)) for n, m in list(sys.modules.items())
                 if {*getattr(m, "__warningregistry__", ())} - {"version"}},
    "logging": [str(h).replace(str(id(h)), "") for h in logging.getLogger().handlers],
    "tornado": [type(h).__name__ for h in logging.getLogger("tornado").handlers],
    "leader": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
    "umask": os.umask(0o22),
    "stdin": sys.__stdin__.read(),
    "streams": [type(s).__name__ for s in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)],
    "encodings": [s.encoding + str(s.errors) for s in (sys.stdout, sys.__stdout__, sys.__stderr__)],
    "shown": [pandas.get_option("display.max_columns"), pandas.get_option("display.max_rows")],
    "hooks": [str(sys.excepthook).split(" at ")[0], str(sys.displayhook).split(" at ")[0]],
    "limit": sys.getrecursionlimit(),
    "nice": os.nice(0),
}))
"""
MODULES = "import json, sys\nprint(json.dumps(sorted(vars(sys)['modules'])))"  # `sys.modules` ends what is ahead
RANDOM = "import random, numpy.random\nprint(random.random(), numpy.random.random())"


@pytest.fixture(scope="module")
def probed(place: Place) -> dict[str, dict[str, Any]]:
    found = {}
    for mode in MODES:
        place.run("warm", PROBE)  # a run before it, which has touched nothing
        outcome = place.run(mode, MODULES, PROBE)
        if mode in FORKED:
            assert (place.started(outcome) or {})["ahead"][:3] == ["import numpy", "import pandas", "import sklearn"]
        first, second = texts(outcome)
        found[mode] = {**json.loads(second), "modules": json.loads(first)}
    return found


@pytest.mark.parametrize("mode", FORKED)
def test_a_warm_kernel_shows_what_a_cold_one_shows(probed: dict[str, dict[str, Any]], mode: str) -> None:
    cold, warm = ({k: v for k, v in probed[of].items() if k != "modules"} for of in ("cold", mode))
    assert {k: (cold[k], warm[k]) for k in cold if cold[k] != warm[k]} == {}
    assert cold["shown"][0] == 20  # a terminal's is 0, and pandas asks for the shell when it is imported


@pytest.mark.parametrize("mode", FORKED)
def test_no_library_is_loaded_before_the_code_imports_it(probed: dict[str, dict[str, Any]], mode: str) -> None:
    ours = {"gc", "runpy"}
    different = {*probed["cold"]["modules"]} ^ {*probed[mode]["modules"]}
    assert {name for name in different if not name.startswith("p2p.kernels")} - ours == set()


def test_random_numbers_are_others_in_each_run(place: Place) -> None:
    drawn = [texts(place.run("warm", RANDOM))[0] for _ in range(3)]
    assert len({one.split()[0] for one in drawn}) == len({one.split()[1] for one in drawn}) == 3


def test_a_warning_that_is_shown_once_is_shown_in_each_run(place: Place) -> None:
    cell = "import warnings\nfor _ in range(2): warnings.warn('look out', DeprecationWarning, stacklevel=1)"
    shown = [texts(place.run("warm", cell))[0].count("DeprecationWarning: look out") for _ in range(2)]
    assert shown == [1, 1]


def test_nothing_that_a_run_sets_is_there_in_the_next(place: Place) -> None:
    leave = """
    import os, sys, signal, tempfile, numpy, json, builtins, warnings, logging
    os.environ["MARK"] = "left"
    sys.path.append("left"); sys.modules["left"] = numpy; numpy.left = builtins.left = 1
    numpy.random.seed(1); signal.signal(signal.SIGUSR1, lambda *_: None)
    left = open(os.devnull); os.dup2(left.fileno(), 77)
    warnings.filterwarnings("error", "left"); logging.getLogger().setLevel(1); os.umask(0o77); os.chdir("/")
    """
    look = """
    import os, sys, signal, numpy, builtins, warnings, logging
    print("MARK" in os.environ, "left" in sys.path, "left" in sys.modules, hasattr(numpy, "left"),
          hasattr(builtins, "left"), signal.getsignal(signal.SIGUSR1) != signal.SIG_DFL,
          os.path.exists("/proc/self/fd/77"),
          "left" in str(warnings.filters), logging.getLogger().level == 1, os.umask(0o22) == 0o77,
          os.getcwd() == "/")
    """
    kept = texts(place.run("warm", "import numpy", leave, look))[2].split()
    assert set(kept) == {"True"}  # the marks are seen where they are
    assert set(texts(place.run("warm", "import numpy", look))[1].split()) == {"False"}
