"""What a walk through a cell finds out about its names: the record that the visitors fill, and how they fill it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from p2p.analysis.flow import Flow
from p2p.analysis.scopes import Frame, Read

# The same answer everywhere: `_` is put among them by an interactive interpreter, the names of IPython by a kernel.
BUILTINS = (frozenset(dir(builtins)) - {"_"}) | {"get_ipython", "display", "__IPYTHON__"} | {"__class__"}

_DEFINITIONS = ("import", "function", "class")


class Recorder(ast.NodeVisitor):
    """The state of a walk: where it is, what is bound there, and what it has found.

    A name found in the module's scope and not surely bound by then is read from outside. Inside functions the question
    waits: a function's reads are asked when its name is first used, and once more at the end of the cell.

    Attributes:
        frame: the scope at the present place.
        sink: where reads inside functions go; None outside of functions.
        reads: by name, the first place where the name is needed from outside.
        direct: names needed while the cell runs, not only when a function is called.
        sure: names needed that no way through the cell binds before.
        kinds: how each name is bound, in order of first binding.
        pending: by the name of a function or class, what its bodies read.
    """

    def __init__(self) -> None:
        self.module = Frame("module")
        self.frame = self.module
        self.sink: list[Read] | None = None
        self.reads: dict[str, Read] = {}
        self.direct: set[str] = set()
        self.sure: set[str] = set()
        self.kinds: dict[str, str] = {}
        self.modules: set[str] = set()
        self._changed: dict[tuple[Frame, str], bool] = {}  # whether also under the other names of the object
        self._aliases: dict[tuple[Frame, str], set[tuple[Frame, str]]] = {}
        self.deletes: dict[str, None] = {}
        self.dynamic: dict[tuple[int, str], None] = {}
        self.pending: dict[str, list[Read]] = {}
        self.has_await = False
        self.lazy_annotations = False
        self.handlers = 0  # how many `except` blocks the walk is in
        self._uses_functions = True

    @property
    def flow(self) -> Flow:
        """What is bound at the present place, in the scope that binds there."""
        return self.frame.binder().flow

    @flow.setter
    def flow(self, flow: Flow) -> None:
        self.frame.binder().flow = flow

    @property
    def late(self) -> bool:
        """Whether the present place is inside a function, and so runs only when that is called."""
        return self.sink is not None

    def read(self, name: str, node: ast.expr, *, shift: int = 0) -> None:
        """Note that `name` is read at `node`; `shift` orders several names within one string."""
        if self.frame.owner(name) is not self.module:
            return
        binder = self.frame.binder()
        if binder is not self.module and name in binder.globals and name in binder.flow.bound:
            return  # declared `global` and already bound by the same function
        found = Read(node.lineno, node.col_offset + shift, name)
        if self.sink is not None:
            self.sink.append(found)
        else:
            self._read_now(found, late=False, asked=set())

    def _read_now(self, found: Read, *, late: bool, asked: set[str]) -> None:
        flow, name = self.module.flow, found.name
        if flow.dead:
            return
        if name not in flow.bound:
            self.reads[name] = min(found, self.reads.get(name, found))
            if not late:
                self.direct.add(name)
            if name not in flow.maybe:
                self.sure.add(name)
        if self._uses_functions and name not in asked:
            asked.add(name)
            self._call(self.pending.get(name, ()), asked)

    def _call(self, reads: Iterable[Read], asked: set[str]) -> None:
        for found in reads:
            self._read_now(found, late=True, asked=asked)

    def call_now(self, reads: Iterable[Read]) -> None:
        """Take what a function reads as read at the present place."""
        self._call(reads, set())

    def call_everything(self) -> None:
        """Take every function and class of the cell as used by a later cell."""
        if self.module.flow.dead:  # the cell ends with `raise`: what it defined is there all the same
            self.module.flow = Flow(frozenset(self.kinds), frozenset(self.kinds))
        for reads in list(self.pending.values()):
            self.call_now(reads)

    def defer(self, reads: Iterable[Read], name: str) -> None:
        """Keep what a function or class reads until `name`, which stands for it, is used."""
        if self.frame.kind == "class":
            self.frame.late.extend(reads)
        else:
            self.pending.setdefault(name, []).extend(reads)

    @contextmanager
    def inside(self, frame: Frame) -> Iterator[Frame]:
        """Walk within another scope."""
        outer, self.frame = self.frame, frame
        try:
            yield frame
        finally:
            self.frame = outer

    @contextmanager
    def not_calling(self) -> Iterator[None]:
        """Walk where naming a function or class does not run it: annotations, base classes."""
        before, self._uses_functions = self._uses_functions, False
        try:
            yield
        finally:
            self._uses_functions = before

    def reads_of(self, frame: Frame, walk: Callable[[], None]) -> list[Read]:
        """What `walk` reads when it runs later, in `frame`; nothing inside a function, whose sink has it already."""
        outer = self.sink
        sink: list[Read] = [] if outer is None else outer
        self.sink = sink
        try:
            with self.inside(frame):
                walk()
        finally:
            self.sink = outer
        return sink if outer is None else []

    def bind(self, name: str, kind: str) -> None:
        """Note that `name` is bound in the present scope; targets of a comprehension stay its own."""
        if self.frame.kind not in ("comprehension", "type parameters"):
            self.bind_in(self.frame, name, kind)

    def bind_in(self, frame: Frame, name: str, kind: str) -> None:
        if frame.flow.dead:
            return
        frame.flow = frame.flow.bind(name)
        if frame.kind == "module":
            self._note(name, kind)
        elif name in frame.globals:
            surely = frame.kind == "class" and not self.late
            self.module.flow = self.module.flow.bind(name) if surely else self.module.flow.possibly([name])
            self._note(name, kind)

    def _note(self, name: str, kind: str) -> None:
        """The last binding says of what kind a name is; but a loop, or a substitute for a failed import, does not."""
        known = self.kinds.get(name)
        substitute = self.handlers > 0 and kind == "value" and known in _DEFINITIONS
        if known is None or not (kind == "loop" or substitute):
            self.kinds[name] = kind

    def unbind(self, name: str) -> None:
        """Note a `del name`."""
        owner = self.frame.owner(name)
        self.flow = self.flow.unbind(name)
        if owner is self.module and not self.flow.dead:
            self.deletes.setdefault(name)

    def mutate(self, names: Iterable[ast.Name], *, spreads: bool = True) -> None:
        """Note that the objects of `names` may be changed in place; `spreads` for what other names show as well."""
        for name in names:
            for key in self._keys(name.id):
                self._changed[key] = spreads or self._changed.get(key, False)

    def alias(self, pairs: Iterable[tuple[ast.Name, ast.Name]]) -> None:
        """Note that the object of the first name of each pair may be that of the second, or a part of it."""
        for name, other in pairs:
            for ours in self._keys(name.id):
                self._aliases.setdefault(ours, set()).update(self._keys(other.id))

    def _keys(self, name: str) -> list[tuple[Frame, str]]:
        """The scope that has a name; in a class that too, which has it from the second round of a loop on."""
        owner = self.frame.owner(name)
        both = self.frame.kind == "class" and owner is not self.frame
        return [(owner, name), (self.frame, name)] if both else [(owner, name)]

    def mutated(self) -> list[str]:
        """The names of the module whose objects may be changed in place, under whatever name."""
        found = dict.fromkeys(self._changed)
        waiting = [key for key, spreads in self._changed.items() if spreads]
        spread = set(waiting)
        while waiting:
            new = sorted(self._aliases.get(waiting.pop(), set()) - spread, key=lambda key: key[1])
            found.update(dict.fromkeys(new))
            spread.update(new)
            waiting += new
        return [name for frame, name in found if frame is self.module]

    def is_builtin(self, name: str) -> bool:
        """Whether `name` is the builtin at the present place, as far as the cell tells."""
        return name in BUILTINS and self.frame.owner(name) is self.module and name not in self.module.flow.maybe
