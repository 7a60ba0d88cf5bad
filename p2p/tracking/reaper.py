"""Ending runs whose owner died, and sending what MLflow does not know yet."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

from p2p.files import locked
from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import lease
from p2p.tracking.journal import Journal, read_events
from p2p.tracking.lease import Lease
from p2p.tracking.mlstore import redacted
from p2p.tracking.owner import Life
from p2p.tracking.passing import Unreachable, reason
from p2p.tracking.processes import end_kernels
from p2p.tracking.records import failed_step, opening
from p2p.tracking.sending import sending

_REAPING = ".reaping.lock"
_ENDING_MAY_TAKE = 10.0  # seconds
_SIDECAR_MAY_LINGER = 30.0  # seconds that a sidecar without its owner may still be at sending a run


@dataclass(frozen=True)
class Swept:
    """What became of the runs that were not done with.

    Attributes:
        killed: keys of runs whose owner had died, which are KILLED now.
        sent: keys of runs that MLflow now knows the end of.
        unsent: by key, why MLflow does not.
        running: keys of runs whose owner lives.
        elsewhere: by key, the owner on another machine that cannot be judged from here.
    """

    killed: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    unsent: tuple[tuple[str, str], ...] = ()
    running: tuple[str, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()


def reap(settings: Settings, *, gone_hosts: Collection[str] = ()) -> list[str]:
    """End the runs whose owner died as KILLED, in their journals; gives their keys.

    A run that another process is ending has ended when this returns.

    Args:
        settings: the project's.
        gone_hosts: machines that are known to be gone for good, so that the owners on them are dead.
    """
    if not [*lease.leases(settings.open_runs)]:
        return []
    with locked(settings.open_runs / _REAPING, wait=_ENDING_MAY_TAKE) as mine:
        # Who ends a run takes its lease first: without the lock, that would look like a run at work.
        dead = [found for found in lease.leases(settings.open_runs) if mine and _is_dead(found, gone_hosts)]
        return [found.key for found in dead if _end(settings, found.key, f"{found.owner} died", RunStatus.KILLED)]


def _is_dead(found: Lease, gone_hosts: Collection[str]) -> bool:
    return found.life is Life.DEAD or (found.life is Life.UNKNOWN and found.owner.host in gone_hosts)


def end(settings: Settings, key: str, error: str, status: RunStatus = RunStatus.KILLED) -> bool:
    """End a run in its owner's place; False when it had ended, or another process is at it."""
    with locked(settings.open_runs / _REAPING, wait=_ENDING_MAY_TAKE) as mine:
        return mine and _end(settings, key, error, status)


def _end(settings: Settings, key: str, error: str, status: RunStatus) -> bool:
    directory = settings.runs / key
    if not settings.lease(key).exists():
        return False
    events = read_events(directory) if directory.is_dir() else []
    if not any(event["kind"] == "run_opened" for event in events):
        lease.release(settings.lease(key))  # it died before it said anything
        return False
    if any(event["kind"] == "run_finished" for event in events):
        return False
    end_kernels(directory)
    lease.take_lease(settings.lease(key))  # from now on, its owner cannot commit
    journal = Journal(directory)
    facts = {"failed_step": failed_step(directory), "failed_cell": _cell_at_work(events), "error": error}
    journal.append("run_finished", status=status.value, **{k: v for k, v in facts.items() if v})
    journal.close()
    return True


def _cell_at_work(events: list[dict[str, object]]) -> object:
    cells = [event["cell"] for event in events if event["kind"] == "cell_started"]
    return cells[-1] if cells else None


def sweep(
    settings: Settings, *, gone_hosts: Collection[str] = (), tell: Callable[[str], None] = lambda _text: None
) -> Swept:
    """End what died and send what is unsent.

    Raises nothing for a store that cannot be reached: the answer says which runs are unsent, and why.
    """
    killed = reap(settings, gone_hosts=gone_hosts)
    sent: list[str] = []
    unsent: list[tuple[str, str]] = []
    running: list[str] = []
    elsewhere: list[tuple[str, str]] = []
    down = ""
    for found in list(lease.leases(settings.open_runs)):
        if not _ended(settings, found.key):
            match found.life:
                case Life.ALIVE:
                    running.append(found.key)
                case Life.UNKNOWN:
                    elsewhere.append((found.key, str(found.owner)))
                case Life.DEAD:
                    unsent.append((found.key, "its process has died, and another one is ending it"))
            continue
        tell(f"sending {found.key}")
        try:
            why = down or send(settings, found.key, wait=_SIDECAR_MAY_LINGER)
        except Unreachable as error:
            why = down = str(error)
        except Exception as error:  # noqa: BLE001  # a defect in one run must not keep the others from MLflow
            why = f"{type(error).__name__}: {reason(error)}"
        unsent.append((found.key, why)) if why else sent.append(found.key)
    return Swept(tuple(killed), tuple(sent), tuple(unsent), tuple(running), tuple(elsewhere))


def _ended(settings: Settings, key: str) -> bool:
    directory = settings.runs / key
    with contextlib.suppress(OSError):
        return any(event["kind"] == "run_finished" for event in read_events(directory))
    return False


def next_unsent(settings: Settings, tried: Collection[str]) -> str:
    """The key of a run that has ended and that MLflow does not know the end of; empty when there is none but `tried`.

    Runs whose owner died are ended first.
    """
    reap(settings)
    waiting = (found.key for found in lease.leases(settings.open_runs) if found.key not in tried)
    return next((key for key in waiting if _ended(settings, key)), "")


def send(settings: Settings, key: str, *, wait: float = 0.0) -> str:
    """Why the run could not be sent; empty when it was. Raises Unreachable when the store takes nothing."""
    directory = settings.runs / key
    meant = (opening(directory) or {}).get("tracking_uri", "")
    if meant and meant != redacted(settings.tracking_uri):
        return f"it belongs to the store {meant}: set MLFLOW_TRACKING_URI to that"
    with sending(settings, directory, wait=wait) as sender:
        if sender is None:
            return "another process is sending it"
        return "" if sender.round() else "it has not ended"
