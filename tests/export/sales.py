"""A small notebook with one of everything that an export has to write, and its module as text."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pandas as pd

from p2p.export import contracting, emit, testfiles
from p2p.export.badparams import bad_parameters
from p2p.export.compile import compile_notebook
from p2p.model import StepRecord, StepState
from p2p.notebook import parameters_of
from p2p.store import MemoryStore
from tests.building import read_built

PARAMS = """
    from typing import Annotated
    from pydantic import Field

    month: Annotated[int, Field(ge=1, le=12)] = 1  # counted from January
    shop: str | None = None
"""
CELLS = (
    """
    %load_ext p2p
    import random
    from collections import Counter

    import pandas as pd

    from p2p import step

    random.seed(7)
    """,
    """
    # the share that the state takes
    VAT = 0.2

    def gross(net):
        'With the tax on top.'
        return net * (1 + VAT)
    """,
    "## The data",
    """
    %%step load --retries 2
    sales = pd.DataFrame({'month': [1, 1, 2], 'net': [10.0, 20.0, 5.0]})
    note = '''
      as it came
    '''
    """,
    "sales.head()",
    """
    def in_month(frame):
        return frame[frame['month'] == month]
    """,
    """
    %%step clean
    tidy = in_month(sales)  # of one month
    tidy = tidy.assign(gross=gross(tidy['net']))
    """,
    "best = tidy['net'].max()",
    """
    @step
    def rounded(value):
        return round(value, 1)
    """,
    "## The total",
    """
    @step(timeout=60)
    def total(tidy, best, *, shop=None):
        'The sum, and how far the best is above the mean.'
        return rounded(tidy['gross'].sum()), best - tidy['net'].mean()
    """,
    "amount, lead = total(tidy, best, shop=shop)\namount",
)
SALES = pd.DataFrame({"month": [1, 1, 2], "net": [10.0, 20.0, 5.0]})


def module() -> dict[str, str]:
    """The text of each generated file, by name."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = read_built(Path(folder), *CELLS, params=PARAMS)
    parameters = parameters_of(notebook)
    plan = compile_notebook(notebook, "sales", [p["name"] for p in parameters.describe()])
    store = MemoryStore()
    values = {
        "load": {"sales": SALES, "note": "\n  as it came\n"},
        "clean": {"tidy": SALES[:2].assign(gross=SALES["net"] * 1.2)},
        "total": {"amount": 36.0, "lead": 5.0},
    }
    steps = [
        StepRecord(name, StepState.DONE, 0.1, 1, outputs={n: store.put(v) for n, v in outputs.items()})
        for name, outputs in values.items()
    ]
    types = emit.one_type_each(item for step in steps for item in step.outputs.items())
    return {
        "params.py": emit.params_file(parameters, plan),
        "steps.py": emit.steps_file(plan, types, parameters),
        "pipeline.py": emit.pipeline_file(plan, 1),
        "contracts.py": contracting.contracts_file(plan, contracting.infer(steps, store)),
        "tests.py": testfiles.test_file(
            plan, 1, {"load": "it takes no data"}, bad_parameters(parameters), {"sales": "month", "tidy": "month"}
        ),
    }


if __name__ == "__main__":
    for name, text in module().items():
        sys.stdout.write(f"--- {name}\n{text}")
