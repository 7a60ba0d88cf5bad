"""How the steps of penguins are joined: by the names of what they take and give."""

from p2p import Pipeline, Task

from . import contracts, steps
from .params import Params

pipeline = Pipeline(
    name="penguins",
    version=1,
    params=Params,
    tasks=[
        Task(steps.load, outputs=["penguins"]),
        Task(steps.clean, inputs=["penguins", "species", "min_mass"], outputs=["tidy"]),
        Task(steps.fit, inputs=["tidy"], outputs=["line"]),
    ],
    contracts=contracts.CONTRACTS,
)
