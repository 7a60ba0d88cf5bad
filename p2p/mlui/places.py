"""Where in MLflow's UI something is to be seen: addresses that were asked for, so that none leads nowhere."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from p2p.errors import TargetError
from p2p.settings import Settings
from p2p.tracking.journal import events_of

_PATIENCE = 5.0  # seconds
_API = "/api/2.0/mlflow"


def told_place(address: str, settings: Settings, key: str) -> str:
    """The address of a run as its journal tells it, without a question to MLflow; empty where MLflow has no such run.

    Args:
        address: of MLflow's UI.
        settings: the project's.
        key: the run's.
    """
    told = _told(settings, key)
    if told is None or not told.get("experiment"):
        return ""
    return _run_at(address, str(told["experiment"]), str(told["run_id"]))


def run_place(address: str, settings: Settings, key: str) -> str:
    """The address of a run.

    Args:
        address: of MLflow's UI.
        settings: the project's.
        key: the run's.

    Raises:
        TargetError: MLflow does not know the run, or not any more.
    """
    told = _told(settings, key)
    if told is None:
        raise TargetError("MLflow does not know this run yet.", cure="`p2p doctor` sends what could not be sent.")
    run_id, experiment = str(told["run_id"]), str(told.get("experiment") or "")
    status, found = _asked(address, "runs/get", run_id=run_id)
    if status == http.client.NOT_FOUND:
        raise TargetError(f"MLflow has no run {run_id} any more.", cure="It was deleted there.")
    with contextlib.suppress(KeyError, TypeError):
        experiment = str(found["run"]["info"]["experiment_id"])
    return _run_at(address, experiment, run_id)


def experiment_place(address: str, name: str) -> str | None:
    """The address of the experiment of this name; None where MLflow does not tell of any."""
    _status, found = _asked(address, "experiments/get-by-name", experiment_name=name)
    with contextlib.suppress(KeyError, TypeError):
        return f"{address}/#/experiments/{quote(str(found['experiment']['experiment_id']), safe='')}"
    return None


def answers(address: str) -> bool:
    """Whether a server is there; what it answers is another matter."""
    return _get(f"{address}/health")[0] != 0


def _told(settings: Settings, key: str) -> dict[str, Any] | None:
    """What the journal says of where MLflow has a run."""
    told: list[dict[str, Any]] = []
    with contextlib.suppress(OSError):  # its directory was removed
        told = [*events_of(settings.runs / key, "mlflow_run")]
    return told[-1] if told else None


def _run_at(address: str, experiment: str, run_id: str) -> str:
    return f"{address}/#/experiments/{quote(experiment, safe='')}/runs/{quote(run_id, safe='')}"


def _asked(address: str, what: str, **facts: str) -> tuple[int, Any]:
    """The status and the answer of MLflow's API; no answer where it wants to know who asks."""
    status, body = _get(f"{address}{_API}/{what}?{urlencode(facts)}")
    with contextlib.suppress(ValueError):
        return status, json.loads(body)
    return status, None


def _get(url: str) -> tuple[int, bytes]:
    """The status and body that are there, without a proxy for the loopback address; status 0 where nobody answers."""
    loopback = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if loopback else []))
    try:
        with opener.open(url, timeout=_PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""
    except (OSError, ValueError, http.client.HTTPException):
        return 0, b""
