"""How long it takes until p2p is there: its help, and its import."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Side
from benchmarks.speed.rows import SECONDS, Bar, Row

_TIMES = 5  # it is over soon
_IMPORT = """\
import time
began = time.perf_counter()
import p2p
print('figures {"seconds": %f}' % (time.perf_counter() - began))
"""


def rows(bench: Bench) -> Iterator[Row]:
    programs = Path(sys.executable).parent
    found = bench.measured({
        "help": Side([programs / "p2p", "--help"]),
        "papermill": Side([programs / "papermill", "--help"]),
        "import": Side([sys.executable, "-c", _IMPORT]),
        "nothing": Side([sys.executable, "-c", "pass"]),
    }, rounds=_TIMES * bench.rounds)  # fmt: skip
    yield Row(work="`p2p --help`", unit=SECONDS, ours=found["help"].figure(), peer="`papermill --help`",
              theirs=found["papermill"].figure(), bar=Bar("most", 0.15))  # fmt: skip
    yield Row(work="`import p2p`", unit=SECONDS, ours=found["import"].figure("seconds"), bar=Bar("most", 0.1))
    yield Row(work="`python -c 'import p2p'`, the whole process", unit=SECONDS, ours=found["import"].figure(),
              peer="`python -c pass`", theirs=found["nothing"].figure())  # fmt: skip
