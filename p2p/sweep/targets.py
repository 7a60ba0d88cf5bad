"""What a sweep runs at each point: a notebook in kernels, or a pipeline in processes of its own.

On Dask these processes drive the runs, and the workers of one cluster call the functions of all their steps.
"""

from __future__ import annotations

import importlib
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Protocol

from p2p.cache import Reuse
from p2p.kernels import WarmKernels
from p2p.notebook import RunOptions, read_notebook, run_notebook
from p2p.notebook.document import parameters_of
from p2p.outcome import RunOutcome
from p2p.params import ParameterSet
from p2p.pipeline import Pipeline
from p2p.runners.repeated import PipelineProcess, run_in_process
from p2p.runners.shared import SharedCluster
from p2p.settings import Settings
from p2p.sweep.points import Point
from p2p.tracking.driver import PartOf
from p2p.tracking.facts import relative


@dataclass(frozen=True)
class TargetFacts:
    """What a target is.

    Attributes:
        name: the notebook's or pipeline's.
        shown: as people name it: the notebook's path, or `name@3`.
        kind: kind of the runs: `notebook` or `module`.
        source: path of the notebook or module, relative to the project.
        digest: of the notebook's code.
        version: the pipeline's; None for a notebook.
    """

    name: str
    shown: str
    kind: str
    source: str
    digest: str
    version: int | None = None


class Target(Protocol):
    """Runs points, in several threads at once."""

    facts: TargetFacts
    parameters: ParameterSet

    def run(self, point: Point, part_of: PartOf, reuse: Reuse) -> RunOutcome:
        """One point as one tracked run, a part of the sweep."""
        ...

    def prepare(self) -> None:
        """Do what must be done once, in one thread, before the first point."""
        ...

    def trouble(self) -> str:
        """Why no point can run any more; empty while they can."""
        ...

    def close(self) -> None:
        """Let go what was started for it; what is at work is stopped."""
        ...


@dataclass(frozen=True, kw_only=True)
class NotebookOptions:
    """How a notebook is run at each point; as `RunOptions`, for what a sweep leaves open."""

    directory: Path | None = None
    log: IO[str] | None = None
    cell_timeout: int | None = None
    html: bool = False
    warm: bool = True


class NotebookTarget:
    """A notebook, each point in a kernel of its own; `warm` ones are forked from a process with its libraries."""

    def __init__(self, path: Path, settings: Settings, options: NotebookOptions | None = None) -> None:
        notebook = read_notebook(path)
        source = relative(path, settings.root)
        self.facts = TargetFacts(notebook.name, str(path), "notebook", source, notebook.digest)
        self.parameters = parameters_of(notebook)
        self._path = path
        self._settings = settings
        self._options = options or NotebookOptions()
        self._kernels = WarmKernels(ahead=True) if self._options.warm else None

    def prepare(self) -> None:
        """Import what all threads need: papermill's imports are not made for several at once."""
        importlib.import_module("papermill")
        importlib.import_module("p2p.notebook.engine")

    def run(self, point: Point, part_of: PartOf, reuse: Reuse) -> RunOutcome:
        told = self._options
        options = RunOptions(
            directory=told.directory, log=told.log, cell_timeout=told.cell_timeout, html=told.html, reuse=reuse,
            part_of=part_of, kernels=self._kernels,
        )  # fmt: skip
        return run_notebook(self._path, self._settings, given=point.given, text=point.text, options=options)

    def trouble(self) -> str:
        return ""  # a kernel that cannot be started is its point's failure

    def close(self) -> None:
        """Nothing is left of a kernel when its run has ended; what it was forked from ends here."""
        if self._kernels is not None:
            self._kernels.close()


class PipelineTarget:
    """A version of a pipeline, in processes that have imported it once and run points one after the other.

    Args:
        pipeline: the version.
        settings: the project's.
        notebook_digest: of the notebook that it was exported from.
        log: what the steps print goes to stderr; else nowhere.
        cluster: calls the steps' functions, whose results are kept for other runs where it is our own; the processes do
            themselves, where none is given.
    """

    def __init__(
        self, pipeline: Pipeline, settings: Settings, *, notebook_digest: str = "", log: bool = False,
        cluster: SharedCluster | None = None,
    ) -> None:  # fmt: skip
        shown = f"{pipeline.name}@{pipeline.version}"
        source = f"pipelines/{pipeline.name}/v{pipeline.version}"
        self.facts = TargetFacts(pipeline.name, shown, "module", source, notebook_digest, pipeline.version)
        self.parameters = ParameterSet.of(pipeline.params)
        self.pipeline = pipeline
        self._settings = settings
        self._log = log
        self._cluster = cluster
        self._idle: queue.SimpleQueue[PipelineProcess] = queue.SimpleQueue()
        self._all: list[PipelineProcess] = []
        self._busy: set[PipelineProcess] = set()
        self._closed = False

    def on(self, cluster: SharedCluster) -> PipelineTarget:
        """The same, whose steps run there."""
        return PipelineTarget(
            self.pipeline, self._settings, notebook_digest=self.facts.digest, log=self._log, cluster=cluster
        )

    def prepare(self) -> None:
        """Nothing: a process is started when there is a point for it."""

    def run(self, point: Point, part_of: PartOf, reuse: Reuse) -> RunOutcome:
        if self._cluster is not None and not self._cluster.own:
            reuse = replace(reuse, cache=False)
        with self._process() as process:
            return run_in_process(
                process, self.pipeline, point.given, point.text, self._settings, part_of=part_of, reuse=reuse,
                notebook_digest=self.facts.digest,
            )  # fmt: skip

    @contextmanager
    def _process(self) -> Iterator[PipelineProcess]:
        process = self._free()
        self._busy.add(process)
        try:
            yield process
        finally:
            self._busy.discard(process)
            if process.alive:
                self._idle.put(process)
            elif not self._closed and self._cluster is not None and process.share is not None:
                self._cluster.leave(process.share)

    def _free(self) -> PipelineProcess:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            share = None if self._cluster is None else self._cluster.share()
            process = PipelineProcess(self.pipeline, self._settings, log=self._log, share=share)
            self._all.append(process)
            return process

    def trouble(self) -> str:
        return "" if self._cluster is None else self._cluster.trouble()

    def close(self) -> None:
        interrupted = not self._closed and bool(self._busy)
        self._closed = True
        for process in self._all:
            process.kill()
        if interrupted and self._cluster is not None:
            self._cluster.end()
