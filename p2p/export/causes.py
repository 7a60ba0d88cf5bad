"""Why a value is another one in the module: the likeliest cause, found by running the module again.

A module that gives the same value from whatever seed is reproducible, so the notebook's value comes from something that
the module does not have. Else the seed that changes the value tells the kind of chance it depends on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from p2p.export.verify import Seed

Rerun = Callable[[Seed], object]


@dataclass(frozen=True)
class Cause:
    """What the likeliest cause is, and what to do about it."""

    what: str
    cure: str


GENERATOR = Cause(
    "an unseeded random generator: the same seed gives the same value, another seed another",
    "Seed it in a cell above the step (`random.seed(0)`, `np.random.seed(0)`), or pass a seed (`random_state=0`).",
)
SET_ORDER = Cause(
    "the order of a set, or hash(): it follows PYTHONHASHSEED, which each process draws anew",
    "Sort it: `sorted(the_set)`.",
)
HIDDEN = Cause(
    "something that only the notebook has: a cell in between changes the value, a file or the environment is another. "
    "The module gives the same value each time",
    "Move the change into a step, or read what it depends on through the step's inputs.",
)
SHARED = Cause(
    "memory that steps share: it is equal when each step gets the very objects of the steps before it, and not when it "
    "gets copies of them, as on workers or after --resume",
    "Make and change what is shared in one step, or give the changed value on and read it from there.",
)
OUTSIDE = Cause(
    "something outside of the program, such as the clock, the network, threads or uninitialized memory: "
    "the value is another each time, from the same seed too",
    "Take it from a parameter or a file, so that a run can be repeated.",
)
_SIGNS = (
    (r"\b(datetime|date|Timestamp)\.(now|today|utcnow)\b|\btime\.\w+\(|perf_counter|timeit|uuid1|localtime|process_time",
     Cause("the clock", "Take the time from a parameter.")),
    (r"default_rng\(\s*\)|RandomState\(\s*\)|SystemRandom|uuid4|urandom|secrets\.",
     Cause("a random generator that starts from the system's entropy", "Give it a seed: `default_rng(0)`.")),
    (r"https?://|\burllib\b|\brequests\.|\burlopen\b|\bsocket\b",
     Cause("the network: what it gives can change", "Keep what was read as a file, and read that.")),
    (r"\bnp\.empty(_like)?\(|numpy\.empty(_like)?\(|\bid\(",
     Cause("uninitialized memory or an address, which is another each time", "Fill the array; do not store `id()`.")),
    (r"getpid|getcwd|gethostname|getlogin|expanduser|os\.environ|__file__",
     Cause("the process or the machine that it runs on", "Take it from a parameter.")),
)  # fmt: skip


def likeliest(source: str, rerun: Rerun) -> Cause:
    """The likeliest cause that a step's value is another in the module.

    Args:
        source: the step's text, and that of the helpers it uses.
        rerun: runs the module from a seed, and gives what stands for the value.
    """
    value = rerun(Seed(1, 1))
    if rerun(Seed(2, 2)) == value:
        return HIDDEN
    if rerun(Seed(1, 2)) == value:
        return GENERATOR
    if rerun(Seed(2, 1)) == value:
        return SET_ORDER
    return sign(source) or OUTSIDE


def sign(source: str) -> Cause | None:
    """The first cause outside of the program that the text names."""
    return next((cause for pattern, cause in _SIGNS if re.search(pattern, source)), None)
