"""The frame through the same three functions, whose results joblib.Memory keeps. `cached_joblib BYTES cold|warm`."""

from __future__ import annotations

import sys
from pathlib import Path

from joblib import Memory

from benchmarks.speed.work.frames import floats, scaled, shifted
from benchmarks.speed.work.timing import expect, report, timed


def main(nbytes: int) -> None:
    memory = Memory(Path.cwd() / "joblib", verbose=0)
    made, larger, moved = (memory.cache(function) for function in (floats, scaled, shifted))
    spent, frame = timed(lambda: moved(larger(made(nbytes))))
    expect(float(frame.iloc[0, 0]), float(floats(nbytes).iloc[0, 0]) * 2.0 + 1.0)
    report(loop=spent.wall)


if __name__ == "__main__":
    main(int(sys.argv[1]))
