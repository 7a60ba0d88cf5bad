"""Single values as files of a given name: test data beside generated tests; and how any file is written whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.model import ValueRef
from p2p.store.codecs import codec_named
from p2p.store.encoding import encode
from p2p.store.values import checked, file_name, loaded, missing


def save_file(value: Any, directory: Path, name: str) -> ValueRef:
    """Writes `<directory>/<name><suffix>`; nothing for a value that cannot be stored, whose reference says why.

    Raises:
        StoreError: for a name with a path in it, or a disk that does not take it.
    """
    ref, data = encode(value)
    if ref.codec is not None:
        path = _named(directory, name, ref)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data, mode=0o644)  # goes into the user's repository, as any source file
    return ref


def load_file(directory: Path, name: str, ref: ValueRef) -> Any:
    """The value that `save_file` wrote; raises StoreError when it is missing or its bytes are not those of `ref`."""
    path = _named(directory, name, ref)
    if not path.is_file():
        raise missing(ref, str(path))
    return loaded(ref, checked(ref, path.read_bytes(), str(path)))


def _named(directory: Path, name: str, ref: ValueRef) -> Path:
    file_name(ref)  # refuses references without codec or digest
    if not name or name != Path(name).name or "\\" in name or name.startswith("."):
        raise StoreError(f"{name!r} is not a plain file name.", cure="Use letters, digits, - and _.")
    codec = codec_named(str(ref.codec))
    return Path(directory) / f"{name}{codec.suffix if codec else ''}"


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Writes a file so that it is there whole or not at all, whoever else writes it at the same time.

    Raises:
        StoreError: naming the path and the free space.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(mode)
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise StoreError(
            f"{path} ({len(data):,} bytes) cannot be written: {error.strerror}; {_free_space(path)}.",
            cure="Free some space or mend the permissions, then run again.",
            fields={"place": str(path), "nbytes": len(data), "errno": error.errno},
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _free_space(path: Path) -> str:
    for folder in path.parents:
        with contextlib.suppress(OSError):
            return f"{shutil.disk_usage(folder).free:,} bytes are free"
    return "the free space is unknown"
