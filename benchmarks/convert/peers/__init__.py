"""Other tools that convert notebooks, each in a virtual environment of its own, measured as p2p is.

A peer converts a copy of the notebook, and what it wrote is run by itself. The values that it ends with are held
against those that the notebook has in both its plain runs, where they are plain data or of importable types.

| outcome | means |
|---|---|
| equal | it runs, and each of those values that it has is the same |
| different | it runs without an error, and one of those values is another, or a script lacks it |
| fails | what the peer wrote does not run |
| refused | the peer says that it does not convert this notebook |
| takes too long | a command took longer than its limit |
"""

from __future__ import annotations

from benchmarks.convert.peers.marimo import Marimo
from benchmarks.convert.peers.peer import Peer
from benchmarks.convert.peers.scripts import Script, ScriptInIPython
from benchmarks.convert.peers.soorgeon import Soorgeon

PEERS: dict[str, type[Peer]] = {
    "nbconvert": Script,
    "nbconvert-ipython": ScriptInIPython,
    "marimo": Marimo,
    "soorgeon": Soorgeon,
}
