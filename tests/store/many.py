"""Many processes at one store: each does seeded operations, and says what was wrong.

Run as a program: `python many.py ROOT SEED OPERATIONS` prints one JSON document.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.model import MISS, ValueRef
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.upkeep import Keep, prune

REPOSITORY = Path(__file__).resolve().parents[2]
_POOL = 40
_GRACE = 0.2  # seconds: so little that files are removed all the time


@dataclass(frozen=True)
class Worked:
    """What the processes did.

    Attributes:
        done: how often each operation was done by those that ended by themselves.
        wrong: values that were not what their reference says.
        errors: what was raised that should not have been, and what went to stderr.
        killed: how many were killed at work.
    """

    done: Counter[str]
    wrong: list[str]
    errors: list[str]
    killed: int


def pool_value(number: int) -> Any:
    """The values that all processes share, of a few bytes up to 200 kB and of three codecs."""
    if number % 3 == 0:
        return {"number": number, "text": "x" * (number * 50)}
    if number % 3 == 1:
        return ("pickled", number, "y" * (number * 5_000))
    import numpy as np

    return np.full(number * 100, number)


def number_of(value: Any) -> int:
    """Which value of the pool this is; -1 when it is none, to the last byte."""
    number = value["number"] if isinstance(value, dict) else value[1] if isinstance(value, tuple) else int(value[0])
    return number if repr(value) == repr(pool_value(number)) and len(value) == len(pool_value(number)) else -1


def work(root: Path, seed: int, operations: int) -> dict[str, Any]:
    """Do seeded operations; what is missing is in order, because others prune, and anything else is not."""
    choose, settings = random.Random(seed), Settings(root, "")
    store = DiskStore(settings.values)
    refs: dict[int, ValueRef] = {}
    done: Counter[str] = Counter()
    wrong: list[str] = []
    at_work = choose.randrange(operations // 2)
    for operation in range(operations):
        if operation == at_work:
            (root / f"at-work-{os.getpid()}").touch()
        number = choose.randrange(1, _POOL)
        name = choose.choices(["put", "get", "find", "has", "prune"], [40, 25, 20, 10, 5])[0]
        ref = refs.get(number)
        if name == "prune":
            prune(settings, Keep(runs=0, limit=0, grace=_GRACE))
        elif name == "put" or ref is None:
            name, refs[number] = "put", store.put(pool_value(number))
            if store.path(refs[number]).name[:64] != refs[number].digest:
                wrong.append(f"put {number}")
        elif name == "has":
            store.has(ref)
        else:
            found = _got(store, ref) if name == "get" else store.find(ref)
            if found is not MISS and number_of(found) != number:
                wrong.append(f"{name} {number}")
            name += " a miss" if found is MISS else ""
        done[name] += 1
    return {"done": done, "wrong": wrong}


def _got(store: DiskStore, ref: ValueRef) -> Any:
    try:
        return store.get(ref)
    except StoreError as error:
        if not error.fields.get("missing"):
            raise
        return MISS


def many_at_once(root: Path, *, processes: int, operations: int, killed: int, seed: int) -> Worked:
    """Let so many processes work, and kill some at random moments once they have begun."""
    choose = random.Random(seed)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    outputs = [(root / f"told-{number}").open("w+") for number in range(processes)]
    started = [
        subprocess.Popen(
            [sys.executable, __file__, str(root), str(seed + number), str(operations)],
            env=environment, stdout=output, stderr=subprocess.STDOUT,
        )
        for number, output in enumerate(outputs)
    ]  # fmt: skip
    dead = _kill_at_work(choose.sample(started, killed), root)
    for process in started:
        process.wait(timeout=600)
    told, errors = [], []
    for process, output in zip(started, outputs, strict=True):
        output.seek(0)
        text = output.read()
        output.close()
        if process.returncode == 0:
            try:
                told.append(json.loads(text))
            except ValueError:
                errors.append(text[-2000:])
        elif process.returncode != -signal.SIGKILL:
            errors.append(text[-2000:])
    done = sum((Counter(one["done"]) for one in told), Counter[str]())
    return Worked(done, [text for one in told for text in one["wrong"]], errors, dead)


def _kill_at_work(victims: list[subprocess.Popen[bytes]], root: Path) -> int:
    """Kill each once it has said that it is in the midst of its work; gives how many were."""
    waiting = list(victims)
    while waiting:
        for process in waiting:
            if (root / f"at-work-{process.pid}").exists():
                process.kill()
        waiting = [process for process in waiting if process.poll() is None]
        time.sleep(0.001)
    return sum(process.returncode == -signal.SIGKILL for process in victims)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    logging.getLogger("p2p.store").setLevel(logging.ERROR)  # what is missing was pruned
    told = work(place, int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(told))
