"""How the steps of flight_delays are joined: by the names of what they take and give."""

from p2p import Pipeline, Policy, Task

from . import contracts, steps
from .params import Params

pipeline = Pipeline(
    name="flight_delays",
    version=1,
    params=Params,
    tasks=[
        Task(steps.load, outputs=["flights", "weather", "planes", "airports"]),
        Task(steps.join, inputs=["flights", "weather", "planes", "airports"], outputs=["joined"]),
        Task(steps.clean, inputs=["joined", "month", "origins"], outputs=["tidy"], policy=Policy(retries=1)),
        Task(steps.features, inputs=["tidy", "late_after"], outputs=["table"]),
        Task(steps.split, inputs=["table", "test_share", "seed"], outputs=["X_train", "X_test", "y_train", "y_test"]),
        Task(
            steps.train,
            inputs=["X_train", "y_train", "seed"],
            outputs=["model", "penalties"],
            policy=Policy(retries=2, timeout=120),
        ),
        Task(steps.evaluate, inputs=["model", "X_test", "y_test"], outputs=["scores"]),
        Task(
            steps.figures,
            inputs=["table", "y_test", "model", "X_test"],
            outputs=["by_hour", "fig_hours", "fig_calibration"],
        ),
    ],
    contracts=contracts.CONTRACTS,
)
