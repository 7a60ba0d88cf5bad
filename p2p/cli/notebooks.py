"""`p2p run NOTEBOOK`, shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from p2p.cache import Reuse
from p2p.cli import show
from p2p.cli.failed import way_into
from p2p.cli.progress import Watch
from p2p.kernels import WarmKernels
from p2p.model import RunStatus
from p2p.notebook import RunOptions, run_notebook
from p2p.settings import Settings, load_settings


def run_notebook_shown(
    path: Path, given: Mapping[str, Any], text: Mapping[str, str], options: Mapping[str, Any],
    reuse: Callable[[Settings], Reuse], *, log_output: bool, as_json: bool, warm: bool = False,
) -> int:  # fmt: skip
    """Run a notebook with live progress and show its end; gives the exit code."""
    settings = load_settings(path)
    run_options = RunOptions(log=sys.stderr if log_output else None, reuse=reuse(settings), **options)
    with Watch(quiet=as_json, starts=log_output) as watch, WarmKernels() as kernels:
        chosen = replace(run_options, kernels=kernels if warm else None)
        outcome = run_notebook(path, settings, given=given, text=text, options=chosen, watch=watch)
    if as_json:
        show.answer_json({**outcome.as_dict(), "debug": way_into(outcome, settings) or None})
    else:
        show.outcome(outcome, "see it with `p2p ui`", way_into(outcome, settings))
    return 0 if outcome.status is RunStatus.FINISHED else 1
