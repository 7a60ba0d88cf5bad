"""Values stored once, by the digest of their content, in typed formats where there is one.

Knows values, bytes and files; nothing of steps, runs or MLflow.
"""

from p2p.store.codecs import CODECS, Codec
from p2p.store.compare import difference
from p2p.store.describing import describe
from p2p.store.disk import DiskStore
from p2p.store.encoding import by_former, content_digest, decode, encode, identify
from p2p.store.files import load_file, save_file
from p2p.store.folder import load_folder, save_folder
from p2p.store.ledger import Damaged, Ledger
from p2p.store.memory import MemoryStore
from p2p.store.naming import plain_name
from p2p.store.values import ValueStore

__all__ = [
    "CODECS",
    "Codec",
    "Damaged",
    "DiskStore",
    "Ledger",
    "MemoryStore",
    "ValueStore",
    "by_former",
    "content_digest",
    "decode",
    "describe",
    "difference",
    "encode",
    "identify",
    "load_file",
    "load_folder",
    "plain_name",
    "save_file",
    "save_folder",
]
