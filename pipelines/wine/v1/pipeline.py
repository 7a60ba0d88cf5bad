"""How the steps of wine are joined: by the names of what they take and give."""

from p2p import Pipeline, Task

from . import contracts, steps
from .params import Params

pipeline = Pipeline(
    name="wine",
    version=1,
    params=Params,
    tasks=[
        Task(steps.load, outputs=["data", "wines"]),
        Task(steps.scale, inputs=["wines"], outputs=["kinds", "measured", "wines"]),
        Task(
            steps.group,
            inputs=["groups", "seed", "wines", "measured", "kinds"],
            outputs=["model", "agreement", "wines"],
        ),
        Task(steps.what_makes_groups, inputs=["wines"], outputs=["profile"]),
    ],
    contracts=contracts.CONTRACTS,
)
