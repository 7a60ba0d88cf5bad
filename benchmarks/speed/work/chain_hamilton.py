"""The chain in Hamilton: one function a node, joined by the names of their arguments. `chain_hamilton STEPS`."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

from hamilton import base, driver

from benchmarks.speed.work.tasks import increment
from benchmarks.speed.work.timing import per_step, report


def prepared(steps: int) -> Callable[[], int]:
    module = types.ModuleType(f"chain_{steps}")
    module.increment = increment
    nodes = (f"def x{n + 1}(x{n}: int) -> int:\n    return increment(x{n})\n" for n in range(steps))
    exec("\n".join(nodes), module.__dict__)
    sys.modules[module.__name__] = module  # Hamilton takes the functions whose module that is
    made = driver.Builder().with_modules(module).with_adapters(base.DictResult()).build()
    return lambda: made.execute([f"x{steps}"], inputs={"x0": 0})[f"x{steps}"]


if __name__ == "__main__":
    sys.setrecursionlimit(100_000)  # Hamilton walks along a chain by recursion
    report(**per_step(prepared, int(sys.argv[1])).told("step"))
