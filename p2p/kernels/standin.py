"""A stand-in for the notebook's shell, for libraries that look at it when they are imported and there is none yet.

It answers what libraries ask to find out where they are: whether there is a shell, of which class, whether it has a
kernel and is ipykernel's. Whatever else is wanted of it is told, as only the real one could do it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_APPS: Final = frozenset({"IPKernelApp", "InteractiveShellApp"})


def stand_in(wanted: Callable[[], None]) -> Any:
    """The stand-in; `wanted` is called when more is wanted of it than it can say."""
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.zmqshell import ZMQInteractiveShell

    kernel = _Unknown(wanted, IPythonKernel, {})
    config = _Keys(wanted, dict, {})
    return _Unknown(wanted, ZMQInteractiveShell, {"kernel": kernel, "config": config})


class _Unknown:
    """An object of a class, as far as `isinstance` and the class's name tell, with a few attributes."""

    def __init__(self, wanted: Callable[[], None], of: type, known: dict[str, Any]) -> None:
        vars(self).update(_wanted=wanted, _of=of, **known)

    @property  # type: ignore[misc]  # mypy takes it for the attribute of each object
    def __class__(self) -> type:
        found: type = vars(self)["_of"]
        return found

    def __getattr__(self, name: str) -> Any:
        vars(self)["_wanted"]()
        raise AttributeError(name)

    def __setattr__(self, name: str, _value: Any) -> None:
        vars(self)["_wanted"]()

    def __call__(self, *_args: Any, **_options: Any) -> None:
        vars(self)["_wanted"]()


class _Keys(_Unknown):
    """The configuration: it says which applications it is of, and no more."""

    def __contains__(self, key: object) -> bool:
        return key in _APPS

    def __getitem__(self, key: str) -> Any:
        vars(self)["_wanted"]()
        raise KeyError(key)

    def __len__(self) -> int:
        return len(_APPS)
