"""Putting p2p into a shell: an input transformer that takes the mark off, hooks around each cell, and the magics."""

from __future__ import annotations

import atexit
import contextlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p2p import findings
from p2p.analysis import is_step_mark, split_mark, step_functions
from p2p.cache.fingerprints import IMMUTABLE
from p2p.errors import EvidenceRefused, P2PError
from p2p.execution import Work, arun_step
from p2p.execution.services import activate as activate_services
from p2p.magics.borders import Borders
from p2p.magics.cellstep import MarkedCell, cell_work, check_inputs, finish, policy_of, read_cell
from p2p.magics.completing import complete_magics
from p2p.magics.definitions import definitions
from p2p.magics.headless import make_headless
from p2p.magics.known import KnownValues
from p2p.magics.leftovers import Leftovers, names_read
from p2p.magics.line import Line, Refused
from p2p.magics.parameters import PendingParameters
from p2p.magics.showing import Showing, own_part
from p2p.outline import Outline, Ranning
from p2p.session import AttachedSession, CallSites, InteractiveSession, here
from p2p.session.attached import take_attachment
from p2p.session.callsites import activate as activate_sites
from p2p.session.callsites import deactivate as deactivate_sites
from p2p.session.frontend import notebook_file
from p2p.session.interactive import note
from p2p.session.started import Started, take_started
from p2p.settings import load_settings
from p2p.steps import Step
from p2p.store import content_digest
from p2p.tracking import guard

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_ATTRIBUTE = "_p2p_extension"
_SMALL = 10_000  # characters or items


def load(shell: InteractiveShell) -> None:
    """Put p2p into the shell; a second call changes nothing."""
    if not hasattr(shell, _ATTRIBUTE):
        started = take_started()
        try:
            setattr(shell, _ATTRIBUTE, Extension(shell, started))
        finally:
            started.tell_ready()


def unload(shell: InteractiveShell) -> None:
    """End the run and take p2p out of the shell."""
    extension = getattr(shell, _ATTRIBUTE, None)
    if extension is not None:
        extension.leave()
        delattr(shell, _ATTRIBUTE)


class Extension:
    """p2p in one shell."""

    def __init__(self, shell: InteractiveShell, started: Started | None = None) -> None:
        self.shell = shell
        self.sites = CallSites()
        self.known = KnownValues()
        self.parameters = PendingParameters()
        self.leftovers: Leftovers | None = None
        self.borders: Borders | None = None
        self._started = started or Started()
        self.ranning = Ranning(self._plain_digest)
        self.line = Line(shell, self.ranning, self.file, self._run_within)
        self.session = self._session()
        self._inside = False
        self._cell: MarkedCell | None = None
        self._refusal: P2PError | None = None
        self._run_ast_nodes = shell.run_ast_nodes
        self._enter()

    def _session(self) -> AttachedSession | InteractiveSession:
        taken = take_attachment()
        if taken is not None:
            attachment, secrets, masker = taken
            self.parameters = PendingParameters(attachment, secrets)
            forked = bool(self._started.facts.get("warm"))
            make_headless(self.shell, load_settings().output_limit, forked=forked)
            attached = AttachedSession(
                attachment, names_read(_sources(attachment.notebook)), masker, self._started.facts, self._hear
            )
            self.leftovers = Leftovers(attached.memory, attached.needed)
            self.borders = Borders(attached.memory.events, attached.needed)
            return attached
        session = InteractiveSession(load_settings(), self._notebook, note, self._hear)
        session.warm()
        atexit.register(session.close)
        return session

    def _enter(self) -> None:
        self.shell.input_transformers_cleanup.append(self._take_mark_off)
        self.shell.events.register("pre_run_cell", self._before_cell)
        self.shell.events.register("post_run_cell", self._after_cell)
        self.shell.run_ast_nodes = self._run_nodes  # type: ignore[method-assign]  # the seam: see cellstep
        self.shell.register_magic_function(self._misplaced, "cell", "step")  # type: ignore[arg-type]  # traitlets
        self.shell.register_magic_function(self._command, "line", "p2p")  # type: ignore[arg-type]  # traitlets
        activate_sites(self.sites)
        activate_services(self.session.services)
        complete_magics(self.shell)
        here.enter(self)

    def leave(self) -> None:
        """Undo everything, and end the run."""
        self.shell.input_transformers_cleanup.remove(self._take_mark_off)
        self.shell.events.unregister("pre_run_cell", self._before_cell)
        self.shell.events.unregister("post_run_cell", self._after_cell)
        self.shell.run_ast_nodes = self._run_ast_nodes  # type: ignore[method-assign]  # puts the seam back
        here.leave()
        deactivate_sites(self.sites)
        activate_services(None)
        self.session.close() if isinstance(self.session, InteractiveSession) else self.session.end()

    def _hear(self, kind: str, **data: Any) -> None:
        """An event of a step, after the journal has it."""
        self.ranning.append(kind, **data)
        if kind in ("step_started", "step_finished"):
            here.changed()
        elif kind == "step_progress":
            here.moved(data["step"])

    def _plain_digest(self, name: str) -> str | None:
        """The digest of what a name stands for, where it is as small and plain as a parameter is."""
        value: Any = self.shell.user_ns.get(name)
        if not isinstance(value, (*IMMUTABLE, list, tuple, dict)) or getattr(value, "__len__", int)() > _SMALL:
            return None
        with contextlib.suppress(Exception):  # what is in it may fail in any way
            return content_digest(value)
        return None

    def _run_within(self, source: str) -> bool:
        """Run a cell from within one, which goes on afterwards as if nothing had been; gives whether it succeeded."""
        hook: Any = self.shell.displayhook
        inside, self._inside = self._inside, False
        result = hook.exec_result
        try:
            done: Any = self.shell.run_cell(source)  # type: ignore[no-untyped-call]  # IPython's
        finally:
            self._inside, hook.exec_result = inside, result
        return bool(done.success)

    def _take_mark_off(self, lines: list[str]) -> list[str]:
        """The cell without its mark; inside another magic the mark stays, and `_misplaced` explains."""
        source = "".join(lines)
        if self._inside or not is_step_mark(source):
            return lines
        try:
            body = split_mark(source)[1]
        except P2PError:
            return ["pass\n"]  # what is wrong with the mark is raised when the cell runs
        # IPython knows a cell magic by the first line alone.
        return (body.lstrip() if body.lstrip().startswith("%%") else body).splitlines(keepends=True)

    def _before_cell(self, info: Any) -> None:
        self._inside = True
        self._refusal = None
        if self.leftovers is not None:
            self.leftovers.before()
        if self.borders is not None:
            self.borders.before()
        self.parameters.convert(self.shell.user_ns)
        guard.prepare(info.raw_cell)
        guard.arm()
        try:
            number = self.shell.execution_count - (1 if info.store_history else 0)  # counted up by now
            self._cell = self._marked(info.raw_cell, number)
        except P2PError as error:
            self._refusal = error
        self.ranning.cell(info.raw_cell, info.cell_id or "")
        self.sites.enter_cell(info.cell_id or info.raw_cell, info.raw_cell, self._step_functions(info.raw_cell))

    def _step_functions(self, source: str) -> list[str]:
        """The step functions that exist, and those that the cell is about to define."""
        existing = [name for name, value in self.shell.user_ns.items() if isinstance(value, Step)]
        try:
            return [*existing, *(f.name for f in step_functions(source))]
        except P2PError:
            return existing

    def _marked(self, source: str, number: int) -> MarkedCell | None:
        if not is_step_mark(source):
            return None
        mark, body = split_mark(source)
        assert mark is not None
        cell = read_cell(mark, body, number)
        check_inputs(cell, self.shell.user_ns, self.known.names())
        return cell

    def _after_cell(self, result: Any) -> None:
        from IPython.display import display

        self._inside = False
        self._cell = None
        source = getattr(getattr(result, "info", None), "raw_cell", None)
        if not is_step_mark(source or ""):
            self.known.doubt()
        error = getattr(result, "error_in_exec", None)
        if isinstance(error, EvidenceRefused) and error.findings:
            display(findings.of(error))  # type: ignore[no-untyped-call]  # IPython's
        if self.leftovers is not None and source and result.success:
            self.leftovers.after(source, self.shell.user_ns, marked=is_step_mark(source))
        if self.borders is not None and source:
            self.borders.after(source, self.shell.user_ns)
        here.changed()
        guard.install()
        guard.arm()

    async def _run_nodes(self, nodelist: Any, cell_name: str, *args: Any, **kwargs: Any) -> bool | None:
        """IPython's `run_ast_nodes`; for a step cell, as the body of a step."""
        cell, self._cell = self._cell, None
        result: Any = kwargs.get("result")
        if self._refusal is not None:
            return self._show(self._refusal, result)
        if cell is None:
            outcome: bool | None = await self._run_ast_nodes(nodelist, cell_name, *args, **kwargs)
            return outcome

        try:
            policy = policy_of(cell, self.shell.user_ns)
        except P2PError as refusal:
            return self._show(refusal, result)
        showing = Showing(self.shell.showtraceback, policy)

        async def attempt() -> None:
            showing.attempts += 1
            showing.swallowed = None
            # The list is IPython's to change (`last_expr_or_assign` appends to it), so each attempt has its own.
            failed = await self._run_ast_nodes(list(nodelist), cell_name, *args, **kwargs)
            if failed:
                raise _taken_error(result)
            showing.raise_swallowed()

        parts = definitions(nodelist, cell.names)

        def define() -> None:
            # Not shown: what the last of these statements evaluates to is no result of the cell.
            finish(self._run_ast_nodes(list(parts or ()), cell_name, "none", *args[1:], **_without_result(kwargs)))

        known = self.known.refs(self.shell.user_ns)
        work = cell_work(
            cell, self.shell.user_ns, attempt, known, policy, None if parts is None else define, self.session.needed
        )
        return await self._as_step(work, result, showing)

    async def _as_step(self, work: Work, result: Any, showing: Showing) -> bool:
        services = self.session.services()
        show, self.shell.showtraceback = self.shell.showtraceback, showing  # type: ignore[method-assign]  # see there
        try:
            outcome = await arun_step(work, services)
        except BaseException as error:  # noqa: BLE001  # shown and handed to IPython, as its own run_code does
            self.shell.showtraceback = show  # type: ignore[method-assign]  # puts it back
            return self._show(error.with_traceback(own_part(error.__traceback__)), result, showing.shown)
        finally:
            self.shell.showtraceback = show  # type: ignore[method-assign]  # puts it back
        self.known.remember(outcome)
        if outcome.replaced is not None:
            why = f"{type(outcome.replaced).__name__}: {outcome.replaced}"
            note(f"step '{work.name}' failed ({why}); its fallback stands in for it")
        return False

    def _show(self, error: BaseException, result: Any, shown: BaseException | None = None) -> bool:
        if result is not None:
            result.error_in_exec = error
        if error is not shown:
            self.shell.showtraceback((type(error), error, error.__traceback__), running_compiled_code=True)
        return True

    def _misplaced(self, line: str, _body: str) -> None:
        """Mark a cell as a step: `%%step name`, `%%step name(inputs) -> outputs --retries N --timeout SECONDS`.

        Inputs and outputs that are not declared are read from the code.
        """
        from IPython.core.error import UsageError

        raise UsageError(f"'%%step {line}' must be the first line of its cell; put other cell magics below it.")

    def _command(self, line: str) -> Any:
        """`%p2p status`: how the steps stand; `%p2p run --stale` runs those that are stale, `%p2p run` the notebook.

        `%p2p export`, `%p2p params` and other commands of `p2p` are for this notebook where none is named. `%p2p mark
        NAME` makes this cell a step, `%p2p ui` opens MLflow's UI, `%p2p id` gives the open run's id, `%p2p new` ends
        the run.
        """
        from IPython.core.error import UsageError

        words = shlex.split(line)
        if words == ["new"]:
            self.session.end()
            self.known = KnownValues()
            return None
        if words == ["id"]:
            return self.session.run_id or "no run is open; the next step opens one"
        try:
            return self.line.do(words)
        except (Refused, P2PError) as refusal:
            raise UsageError(str(refusal)) from None

    def _notebook(self) -> tuple[str, str]:
        """The notebook's name and path, as JupyterLab or VS Code tell them; `session` in a plain shell."""
        path = self.file()
        return (path.stem, path.name) if path else ("session", "")

    @property
    def headless(self) -> bool:
        """Whether nobody looks at this kernel."""
        return isinstance(self.session, AttachedSession)

    @property
    def run_id(self) -> str:
        """See `session.here.Kernel`."""
        return self.session.run_id

    def outline(self) -> Outline:
        """See `session.here.Kernel`."""
        return self.line.outline()

    def run_stale(self) -> str:
        """See `session.here.Kernel`."""
        return self.line.run_stale()

    def file(self) -> Path | None:
        """The notebook's file; None in a plain shell."""
        if isinstance(self.session, AttachedSession):
            return Path(self.session.attachment.notebook)
        return notebook_file(self.shell.user_ns)


def _sources(notebook: str) -> list[str]:
    """The cells of the notebook that this kernel runs; none where it cannot be read."""
    from p2p.notebook.document import read_notebook

    try:
        return [cell.source for cell in read_notebook(Path(notebook)).cells]
    except P2PError:
        return []


def _without_result(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name not in ("interactivity", "result")}


def _taken_error(result: Any) -> BaseException:
    """What the failed attempt raised, taken off the result.

    IPython keeps an interrupt that comes between two statements as an error before execution.
    """
    error = result.error_in_exec or result.error_before_exec
    result.error_in_exec = result.error_before_exec = None
    return error if error is not None else RuntimeError("the cell failed without an error")
