"""`jupyter nbconvert --to script`: one script, run by Python and by IPython."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from benchmarks.convert.digests import Digests, last_words, left
from benchmarks.convert.peers.peer import Peer, Stopped
from benchmarks.convert.sources import NAME


class Script(Peer):
    """`jupyter nbconvert --to script`, and the script run by Python."""

    packages: ClassVar[tuple[str, ...]] = ("nbconvert", "ipykernel")
    says_all = True
    interpreter: ClassVar[tuple[str, ...]] = ("python",)

    def values(self, notebook: Path, digests: Path) -> Digests:
        folder = notebook.parent
        script = folder / f"{NAME}.py"
        self.run(folder, "refused", "jupyter", "nbconvert", "--to", "script", notebook)
        if not script.exists():  # a notebook that does not say its language becomes a text file
            self.run(folder, "refused", "jupyter", "nbconvert", "--to", "python", notebook)
        script.write_text(f"{script.read_text(encoding='utf-8')}\n{last_words(digests)}", encoding="utf-8")
        done = self.run(folder, "fails", *self.interpreter, script)
        if not digests.exists():  # IPython ends with 0 after an error in a script
            raise Stopped("fails", done)
        return left(digests)[0]


class ScriptInIPython(Script):
    """The same script run by IPython, which knows its own magics."""

    packages = ("nbconvert", "ipykernel", "ipython")
    interpreter = ("ipython", "--colors=NoColor")
