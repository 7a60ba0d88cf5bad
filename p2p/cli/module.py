"""`python -m pipelines.NAME --month 2`: a pipeline's own command line, its options made from its parameters."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from p2p.cache import Reuse
from p2p.cli import show
from p2p.cli.failed import way_into
from p2p.cli.progress import Watch
from p2p.cli.signals import sigterm_interrupts
from p2p.errors import P2PError
from p2p.manifest import read_manifest
from p2p.model import RunStatus
from p2p.outcome import RunOutcome
from p2p.params import ParameterSet, Values
from p2p.pipeline import Pipeline
from p2p.runners import LOCAL, run_pipeline
from p2p.settings import Settings, load_settings


def module_main(pipeline: Pipeline, arguments: Sequence[str] | None = None) -> int:
    """Run a pipeline with parameters from the command line; gives the exit code."""
    parameters = ParameterSet.of(pipeline.params)
    options = _parser(pipeline, parameters).parse_args(arguments)
    text = {p["name"]: value for p in parameters.describe() if (value := getattr(options, p["name"])) is not None}
    try:
        with sigterm_interrupts():
            outcome = run_shown(pipeline, parameters.parse({}, text=text), load_settings(), as_json=options.json)
    except P2PError as problem:
        show.error(problem, as_json=options.json)
        return problem.exit_code
    except KeyboardInterrupt:
        return 130
    return 0 if outcome.status is RunStatus.FINISHED else 1


def run_shown(
    pipeline: Pipeline, values: Values, settings: Settings, *, as_json: bool, reuse: Reuse | None = None,
    engine: str = LOCAL, jobs: int = 1, tags: Mapping[str, str] | None = None,
) -> RunOutcome:  # fmt: skip
    """Run a pipeline and show how it goes and ends; with `as_json`, the answer is all that stdout gets.

    The answer comes as soon as it is there; this returns when MLflow knows all of the run.
    """
    prints: Any = _stdout_is_stderr() if as_json else contextlib.nullcontext()
    digest = notebook_digest(pipeline, settings)
    with contextlib.ExitStack() as later:
        with Watch(quiet=as_json) as watch, prints:
            outcome = run_pipeline(
                pipeline, values, settings, notebook_digest=digest, watch=watch, reuse=reuse, engine=engine, jobs=jobs,
                later=later, tags=tags,
            )  # fmt: skip
        if as_json:
            show.answer_json({**outcome.as_dict(), "debug": way_into(outcome, settings) or None})
        else:
            show.outcome(outcome, "see it with `p2p ui`", way_into(outcome, settings))
    return outcome


@contextlib.contextmanager
def _stdout_is_stderr() -> Iterator[None]:
    """In the block, what is printed goes to stderr, also by processes that are started."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def notebook_digest(pipeline: Pipeline, settings: Settings) -> str:
    """The digest of the notebook that a version was exported from; empty where it tells none."""
    try:
        return read_manifest(settings.pipelines / pipeline.name / f"v{pipeline.version}").notebook_digest
    except (P2PError, ValueError, TypeError):
        return ""  # a pipeline that was written by hand has no manifest, or one of its own


def _parser(pipeline: Pipeline, parameters: ParameterSet) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m pipelines.{pipeline.name}",
        description=f"Run {pipeline.name}, version {pipeline.version}.",
        allow_abbrev=False,
    )
    for facts in parameters.describe():
        names = dict.fromkeys([f"--{facts['name'].replace('_', '-')}", f"--{facts['name']}"])
        default = "required" if facts["required"] else f"default {facts['default']!r}"
        text = f"{facts['help'] or ''} ({facts['type']}; {default})".strip()
        parser.add_argument(*names, dest=facts["name"], metavar="VALUE", help=text.replace("%", "%%"))
    parser.add_argument("--json", action="store_true", help="answer with one JSON document on stdout")
    return parser
