"""Single values as files of a given name: test data beside generated tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.files import write_atomic
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
        write_file(directory, name, ref, data)
    return ref


def write_file(directory: Path, name: str, ref: ValueRef, data: bytes) -> None:
    """Write the bytes of a value that is encoded already, as `save_file` does."""
    write_atomic(_named(directory, name, ref), data, sync=False)


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
