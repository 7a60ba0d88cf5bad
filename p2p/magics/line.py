"""`%p2p`: how the steps stand here, running what is stale, and the commands of `p2p` on this notebook."""

from __future__ import annotations

import contextlib
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p2p import findings
from p2p.errors import P2PError, nearest
from p2p.magics.below import ran_below
from p2p.outline import Outline, Ranning, StandingTable, outline, standings, to_run
from p2p.session import here

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

HERE = {
    "status": "how the steps stand in this kernel",
    "run --stale": "runs, here, the steps that are stale, have failed or have not run",
    "mark": "marks this cell as a step: %p2p mark NAME",
    "ui": "MLflow's UI, which ends with this kernel, and a link to this notebook's runs in it",
    "id": "the MLflow id of the open run",
    "new": "ends the run; the next step opens another",
}
ON_THIS = ("run", "export", "params", "adopt", "sweep")  # commands that are for this notebook where none is named
RUNS_THIS = ("run", "export", "sweep")  # of these, those that run the notebook
COMMANDS = (*ON_THIS, "diff", "promote", "pull", "doctor", "store")


class Refused(Exception):
    """What was asked for cannot be done; the text says why, and what can."""


@dataclass(frozen=True)
class _Text:
    """A cell that was run, where there is no file to read it from."""

    number: int
    source: str
    tags: tuple[str, ...] = ()


class Line:
    """Does what `%p2p ...` asks for.

    Args:
        shell: the shell.
        ranning: what has run in it.
        notebook: gives the notebook's file; None where nobody tells.
        run_cell: runs a cell from within one; gives whether it succeeded.
    """

    def __init__(
        self, shell: InteractiveShell, ranning: Ranning, notebook: Callable[[], Path | None],
        run_cell: Callable[[str], bool],
    ) -> None:  # fmt: skip
        self._shell = shell
        self._ranning = ranning
        self._notebook = notebook
        self._run_cell = run_cell
        self._read: tuple[Path, int, int] | None = None
        self._outline = Outline(())

    def do(self, words: Sequence[str]) -> Any:
        """Do it; gives what is to be shown.

        Raises:
            Refused: nobody knows how.
        """
        match words:
            case [] | ["status"]:
                return self.table()
            case ["run", "--stale"]:
                return self.table(self.run_stale())
            case ["mark", name]:
                return self._mark(name)
            case ["ui", *rest]:
                return self._open_ui(rest)
            case [command, *rest] if command in COMMANDS:
                return self._command(command, rest)
        raise Refused(unknown(words))

    def table(self, note: str = "") -> StandingTable:
        """How the steps stand."""
        found = self.outline()
        path = self._notebook()
        name = path.name if path is not None else "this session"
        return StandingTable(name, standings(found, self._ranning), found.problems, note)

    def outline(self) -> Outline:
        """The notebook as it was saved last; where there is no file, the cells that were run."""
        from p2p.notebook.document import read_notebook

        path = self._notebook()
        if path is not None:
            with contextlib.suppress(P2PError, OSError):
                found = path.stat()
                as_saved = (path, found.st_mtime_ns, found.st_size)
                if as_saved != self._read:  # asked at each step, and a large notebook takes a tenth of a second
                    self._read, self._outline = as_saved, outline(read_notebook(path).cells)
                return self._outline
        return outline([_Text(number, source) for number, source in enumerate(self._ranning.cells.values(), 1)])

    def run_stale(self) -> str:
        """Run the cells that have to be run, until one fails; gives what else there is to say."""
        found = self.outline()
        for number in to_run(standings(found, self._ranning), found, self._ranning):
            if not self._run_cell(found.sources[number]):
                return f"cell {number} has failed; what comes after it was not run"
        return ""

    def _mark(self, name: str) -> None:
        """Put the mark into the cell that this is called in, in place of the call."""
        from p2p.analysis import parse_mark

        parse_mark(name)
        lines = self._ranning.source.splitlines()
        rest = [line for line in lines if line.split()[:2] != ["%p2p", "mark"]]
        self._shell.set_next_input("\n".join([f"%%step {name}", *rest]), replace=True)

    def _open_ui(self, words: Sequence[str]) -> Any:
        from p2p.magics.opening import HEADLESS, open_ui
        from p2p.settings import load_settings

        kernel = here.kernel()
        if kernel is not None and kernel.headless:
            sys.stdout.write(f"{HEADLESS}\n")
            return None
        path = self._notebook()
        return open_ui(load_settings(path.parent if path is not None else None), path, words)

    def _command(self, command: str, rest: Sequence[str]) -> None:
        """`p2p COMMAND`, in a process of its own; what it says is shown as it comes."""
        from IPython.display import display

        path = self._notebook()
        named = any(not word.startswith("-") for word in rest[:1])
        if command in RUNS_THIS and _goes_round(path, rest[0] if named else ""):
            sys.stdout.write(f"`p2p {command}` is left out here: this is a run of the notebook already.\n")
            return
        target = [str(path)] if command in ON_THIS and path is not None and not named else []
        if command in ON_THIS and not target and not named:
            raise Refused(f"Nobody tells which notebook this is. Name it: %p2p {command} NOTEBOOK ...")
        with tempfile.TemporaryDirectory(prefix="p2p-") as folder:
            refusal = Path(folder) / "refusal.json"
            words = [sys.executable, "-m", "p2p", command, *target, *rest]
            code = ran_below(words, f"p2p {command}", {findings.VARIABLE: str(refusal)})
            told = findings.handed_over(refusal)
        if told is not None:
            display(told)  # type: ignore[no-untyped-call]  # IPython's
        if code != 0:
            raise Refused(f"`p2p {shlex.join([command, *rest])}` ended with exit code {code}")


def _goes_round(path: Path | None, named: str) -> bool:
    """Whether to run this would be to run, in a run of the notebook, that notebook again, and so on without an end."""
    kernel = here.kernel()
    if kernel is None or not kernel.headless or path is None:
        return False
    return not named or Path(named).resolve() == path.resolve()


def unknown(words: Sequence[str]) -> str:
    """What to say to a line that nobody understands."""
    known = [*HERE, *COMMANDS]
    close = nearest(words[0], known) if words else None
    hint = f" Did you mean `%p2p {close}`?" if close else ""
    return f"'%p2p {' '.join(words)}' is not known.{hint} There is: {', '.join(f'%p2p {name}' for name in known)}."
