"""Modules that were imported ahead and that nobody has asked for yet: out of sight until the code imports them.

So a warm kernel's `sys.modules` is that of a fresh one: code that looks whether a library is loaded, p2p's own too,
finds what it would have found. Knows nothing of kernels.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


class Stash(MetaPathFinder):
    """Groups of modules, each brought in by one import, and given back together when one of them is imported.

    Attributes:
        names: of all that was taken in.
        tops: their top-level names.
    """

    def __init__(self) -> None:
        self._groups: list[dict[str, Any]] = []
        self._group_of: dict[str, dict[str, Any]] = {}
        self._set: dict[int, Mapping[str, str]] = {}
        self._filters: dict[int, list[Any]] = {}
        self.names: frozenset[str] = frozenset()
        self.tops: frozenset[str] = frozenset()

    def add(
        self, names: Iterable[str], environment: Mapping[str, str] | None = None, filters: Sequence[Any] = ()
    ) -> None:
        """Take in modules that are in `sys.modules`; they stay there until `hide`.

        Args:
            names: theirs.
            environment: the variables that they have set when they were imported.
            filters: the filters of warnings that they have added, the first in front.
        """
        group = {name: sys.modules[name] for name in names if sys.modules[name] is not None}  # None forbids an import
        self._set[id(group)] = environment or {}
        self._filters[id(group)] = [*filters]
        self._groups.append(group)
        self._group_of.update(dict.fromkeys(group, group))
        self.names |= group.keys()
        self.tops |= {name.partition(".")[0] for name in group}

    def shadowed(self, directory: str) -> str:
        """Why they are no use in a directory: a module of the author's there would come before one of them."""
        try:
            paths = sorted(Path(directory).iterdir())
        except OSError as error:
            return f"the directory cannot be read ({error.strerror})"
        both = (path.name for path in paths if path.name.partition(".")[0] in self.tops and _is_module(path))
        return next((f"the notebook's directory has '{name}', and a library of that name is used" for name in both), "")

    def hide(self) -> None:
        """Take them out of `sys.modules`."""
        for name in self._group_of:
            sys.modules.pop(name, None)
        hidden = [added for filters in self._filters.values() for added in filters]
        _set_filters([known for known in warnings.filters if known not in hidden])
        if self._group_of:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """How to import a hidden module: a spec as its own is, with a loader that gives it back."""
        group = self._group_of.get(fullname)
        if group is None:
            return None
        own = getattr(group[fullname], "__spec__", None)
        spec = ModuleSpec(fullname, _GivesBack(self, group), loader_state=own)
        if own is not None:  # made by hand, a module has none
            spec.origin, spec.cached, spec.has_location = own.origin, own.cached, own.has_location
            spec.submodule_search_locations = own.submodule_search_locations
        return spec

    def give_back(self, group: dict[str, Any]) -> None:
        """Put a group into `sys.modules`; a module that is there by now stays."""
        os.environ.update(self._set.pop(id(group), {}))
        added = self._filters.pop(id(group), [])
        if added:
            _set_filters([*added, *(known for known in warnings.filters if known not in added)])
        for name, module in group.items():
            if self._group_of.pop(name, None) is not None:
                sys.modules.setdefault(name, module)
        if not self._group_of and self in sys.meta_path:
            sys.meta_path.remove(self)


def _is_module(path: Path) -> bool:
    """Whether an import takes it before a module that is installed; a folder without an `__init__.py` comes after."""
    return path.name.endswith((".py", *EXTENSION_SUFFIXES)) or (path / "__init__.py").exists()


def _set_filters(filters: list[Any]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]  # typeshed has a sequence; it is a list
    warnings._filters_mutated()  # type: ignore[attr-defined]  # what `filterwarnings` itself calls


class _GivesBack(Loader):
    """Stands for a module's own loader, once."""

    def __init__(self, stash: Stash, group: dict[str, Any]) -> None:
        self._stash = stash
        self._group = group

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module: ModuleType = self._group[spec.name]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is executed; the import system has put another spec into the module, which is taken out."""
        spec = module.__spec__
        if spec is not None and isinstance(spec.loader, _GivesBack):
            module.__spec__ = spec.loader_state
        self._stash.give_back(self._group)
