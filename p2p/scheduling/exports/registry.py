"""The schedulers that a schedule can be written for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from p2p.scheduling.exports.actions import GitHubActions
from p2p.scheduling.exports.airflow import Airflow
from p2p.scheduling.exports.cron import Crontab
from p2p.scheduling.exports.dagster import Dagster
from p2p.scheduling.exports.kubernetes import Kubernetes
from p2p.scheduling.exports.model import Target
from p2p.scheduling.exports.prefect import Prefect
from p2p.scheduling.exports.systemd import Systemd

_ALL: Final[tuple[Target, ...]] = (
    Crontab(), Systemd(), Airflow(), Kubernetes(), GitHubActions(), Prefect(), Dagster(),
)  # fmt: skip
TARGETS: Final[Mapping[str, Target]] = {target.name: target for target in _ALL}
