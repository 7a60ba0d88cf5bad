"""How the steps of sales are joined: by the names of what they take and give."""

from p2p import Pipeline, Policy, Task

from . import contracts, steps
from .params import Params

pipeline = Pipeline(
    name="sales",
    version=1,
    params=Params,
    tasks=[
        Task(steps.load, outputs=["sales", "note"], policy=Policy(retries=2)),
        Task(steps.clean, inputs=["sales", "month"], outputs=["tidy"]),
        Task(steps.prepare_best, inputs=["tidy"], outputs=["best"]),
        Task(
            steps.total,
            inputs={"tidy": "tidy", "best": "best", "shop": "shop"},
            outputs=["amount", "lead"],
            policy=Policy(timeout=60),
        ),
    ],
    contracts=contracts.CONTRACTS,
    nested={
        steps.rounded: Policy(),
    },
)
