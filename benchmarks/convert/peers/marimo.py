"""marimo: notebooks as apps, in which each name has one cell."""

from __future__ import annotations

from pathlib import Path

from benchmarks.convert.digests import Digests, left
from benchmarks.convert.peers.peer import Peer, Stopped
from benchmarks.convert.plain import Plain
from benchmarks.convert.sources import NAME

_RUNNER = f"""\
import json, {NAME}
import benchmarks.convert.digests as _digests
_outputs, _values = {NAME}.app.run()
_digests.leave(dict(_values), "PATH")
"""


class Marimo(Peer):
    """`marimo convert`, and the app's own `run()`."""

    packages = ("marimo",)

    def values(self, notebook: Path, digests: Path) -> Digests:
        folder = notebook.parent
        self.run(folder, "refused", "marimo", "convert", notebook, "-o", folder / f"{NAME}.py")
        runner = folder / "run_converted.py"
        runner.write_text(_RUNNER.replace("PATH", str(digests)), encoding="utf-8")
        try:
            self.run(folder, "fails", "python", runner)
        except Stopped as stopped:
            if any(word in stopped.reason for word in ("MultipleDefinition", "multiple cells", "CycleError")):
                stopped.outcome = "refused"
            raise
        return left(digests)[0]

    def renamed(self, values: Digests, plain: Plain) -> Digests:
        """A name that several cells write becomes `x`, `x_1`, `x_2` in the app; the notebook ends with the last."""
        result = {name: d for name, d in values.items() if name in plain.final}
        last: dict[str, int] = {}
        for name in values:
            stem, _, number = name.rpartition("_")
            if name not in plain.final and stem in plain.final and number.isdigit() and int(number) > last.get(stem, 0):
                last[stem] = int(number)
                result[stem] = values[name]
        return result
