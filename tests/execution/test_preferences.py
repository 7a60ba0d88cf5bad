"""What code sets for the whole process ends with the block."""

from __future__ import annotations

import decimal
import subprocess
import sys
import warnings
from contextlib import suppress
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from pydantic import BaseModel

from p2p import Pipeline, Task
from p2p.execution import Services
from p2p.execution.preferences import preferences_kept
from p2p.runners.local import run_tasks


def standing() -> dict[str, Any]:
    return {
        "style": {name: mpl.rcParams[name] for name in ("font.family", "axes.grid", "backend")},
        "pandas": pd.get_option("display.max_rows"), "print": np.get_printoptions(), "errors": np.geterr(),
        "precision": decimal.getcontext().prec, "warnings": [*warnings.filters],
    }  # fmt: skip


def change_all() -> None:
    mpl.style.use("ggplot")
    mpl.rcParams["font.family"] = "serif"
    pd.set_option("display.max_rows", 3)
    np.set_printoptions(precision=2)
    np.seterr(all="raise")
    decimal.getcontext().prec = 3
    warnings.simplefilter("ignore")


def test_the_options_of_libraries_are_put_back() -> None:
    before = standing()
    with preferences_kept():
        change_all()
        assert [key for key, value in standing().items() if value == before[key]] == []
    assert standing() == before


def test_they_are_put_back_after_an_error_too() -> None:
    before = standing()
    with suppress(ValueError), preferences_kept():
        change_all()
        raise ValueError("no")
    assert standing() == before


def test_a_library_that_was_loaded_in_the_block_stands_as_it_was_loaded() -> None:
    code = (
        "import sys\nfrom p2p.execution.preferences import preferences_kept\nassert 'matplotlib' not in sys.modules\n"
        "with preferences_kept():\n    import matplotlib\n    matplotlib.rcParams['font.family'] = 'serif'\n"
        "assert matplotlib.rcParams['font.family'] == ['sans-serif']\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def family() -> Any:
    return mpl.rcParams["font.family"]


class Params(BaseModel):
    pass


def test_what_the_steps_of_a_run_set_holds_for_its_later_steps_and_not_for_the_next_run(services: Services) -> None:
    pipeline = Pipeline(
        name="sets", version=1, params=Params,
        tasks=[Task(change_all, [], [], name="setup"), Task(family, [], ["family"], name="read")],
    )  # fmt: skip
    before = standing()
    assert run_tasks(pipeline, {}, services)["family"] == ["serif"]
    assert standing() == before
