"""The command: which notebooks, which stages, where results are kept; then the tables."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.convert.keeping import Kept
from benchmarks.convert.ours import Exported, export
from benchmarks.convert.peers import PEERS
from benchmarks.convert.peers.peer import Peer
from benchmarks.convert.plain import Plain, plain
from benchmarks.convert.sources import Source, found
from benchmarks.convert.tables import outcomes, refusals, share
from benchmarks.venvs import Venv, venv


@dataclass
class Conversion:
    """What is done with each notebook, and what is known about it.

    Attributes:
        venvs: the environment of each peer that takes part, by the peer's name.
    """

    kept: Kept
    timeout: float
    p2p: bool
    venvs: dict[str, Venv] = field(default_factory=dict)

    def of(self, source: Source) -> dict[str, Any]:
        """What each stage found out about a notebook."""
        told = {"plain": self._stage("plain", source, lambda root: plain(source, root, self.timeout), _no_plain)}
        if told["plain"]["error"]:
            return told
        alone = Plain(**told["plain"])
        if self.p2p:
            told["p2p"] = self._stage("p2p", source, lambda root: export(source, alone, root, self.timeout), _no_export)
        for name in self.venvs:
            peer = self._peer(name)
            told[name] = self._stage(name, source, lambda root, of=peer: of.convert(source, alone, root), _no_export)
        return told

    def _peer(self, name: str) -> Peer:
        return PEERS[name](self.venvs[name], self.timeout)

    def _stage(
        self, stage: str, source: Source, work: Callable[[Path], Any], failed: Callable[[str], Any]
    ) -> dict[str, Any]:
        """The result of a stage: the one that was kept, else of its work in an empty directory."""
        known = self.kept.get(stage, source)
        if known is not None:
            return known
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as root:  # a stopped command may write on
            try:
                result = work(Path(root).resolve())
            except (OSError, ValueError, KeyError, StopIteration) as error:
                result = failed(f"{type(error).__name__}: {error}")
        told = self.kept.add(stage, source, result)
        said = told.get("outcome") or told.get("error") or "runs"
        print(f"{stage:18} {said[:60]:15} {source.name}  {told.get('reason', '')[:160]}", file=sys.stderr, flush=True)
        return told


def _no_plain(reason: str) -> Plain:
    return Plain(error=reason)


def _no_export(reason: str) -> Exported:
    return Exported("fails", reason)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    peers = [name for name in options.peers.split(",") if name]
    if "nbconvert" in peers:  # its script is run by Python and by IPython
        peers.insert(peers.index("nbconvert") + 1, "nbconvert-ipython")
    with tempfile.TemporaryDirectory() as temporary:
        place = options.venvs or Path(temporary)
        venvs = {name: venv(place.resolve() / name, PEERS[name].packages) for name in peers}
        conversion = Conversion(Kept(options.keep), options.timeout, not options.without_p2p, venvs)
        sources = found(options.place)
        with ThreadPoolExecutor(options.jobs) as pool:
            results = dict(zip([source.name for source in sources], pool.map(conversion.of, sources), strict=True))
    versions = {name: made.versions for name, made in venvs.items()}
    shown = [*([] if options.without_p2p else ["p2p"]), *peers]
    if options.json:
        print(json.dumps({"notebooks": results, "peers": versions}, indent=1))
    else:
        _show(results, shown, versions)
    return 1 if any(told.get("p2p", {}).get("outcome") == "different" for told in results.values()) else 0


def _show(results: dict[str, dict[str, Any]], stages: list[str], versions: dict[str, dict[str, str]]) -> None:
    print(outcomes(results, {stage: stage for stage in stages}), end="\n\n")
    print("\n".join(share(results, stage) for stage in stages), end="\n\n")
    for made in versions.values():
        print(", ".join(f"{name} {version}" for name, version in made.items()))
    if "p2p" in stages:
        print(f"\n{refusals(results)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.convert", description="Convert other people's notebooks."
    )
    parser.add_argument("place", type=Path, metavar="FOLDER", help="a folder, or a text file with a notebook a line")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--peers", default="", metavar="NAMES", help="of nbconvert, marimo and soorgeon, by commas")
    parser.add_argument("--without-p2p", action="store_true", help="only the plain runs and the peers")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="notebooks at a time")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="results as JSON lines; what is in it is not done again"
    )
    parser.add_argument("--venvs", type=Path, metavar="DIR", help="where the peers are installed, and stay")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds that a command may take")
    return parser


if __name__ == "__main__":
    sys.exit(main())
