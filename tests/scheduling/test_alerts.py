"""When alerts are sent, how often, and to whom."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from p2p.model import RunStatus
from p2p.scheduling.alerts import GIVE_UP, LONGEST_DELAY, Sender, delay
from p2p.scheduling.dues import Dues
from p2p.scheduling.messages import Message, message_of
from p2p.scheduling.model import AlertState, News, TickState
from p2p.scheduling.outbox import Outbox
from p2p.scheduling.scheduler import KEPT, PRUNED_AT_ONCE, Limits
from tests.scheduling.world import World


class Post:
    """What reaches people: addresses that fail are named in `broken`."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.tried: list[str] = []
        self.broken: set[str] = set()

    def __call__(self, address: str, message: Message) -> str:
        self.tried.append(address)
        if address in self.broken:
            return "nobody is there"
        self.got.append((address, message.title.split(",")[0]))
        return ""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def sender(world: World, post: Post) -> Iterator[Callable[..., Sender]]:
    made: list[Sender] = []

    def make(name: str = "me", lives: Callable[[str], bool] = lambda _owner: True) -> Sender:
        outbox = Outbox(world.ledger.path, durable=False)
        one = Sender(
            outbox=outbox, send=post, compose=lambda news: message_of(news, "flights"), shown=str, owner=name,
            lives=lives, now=lambda: world.now, log=lambda *_, **__: None,
        )  # fmt: skip
        made.append(one)
        return one

    yield make
    for one in made:
        one.outbox.close()


def fail(world: World, *alerts: str, name: str = "nightly") -> None:
    """A schedule with these addresses, whose first tick fails."""
    world.add("30 * * * *", name=name, alerts=alerts)
    scheduler = world.scheduler()
    world.later(minutes=30)
    scheduler.turn()
    world.finish(RunStatus.FAILED)


def test_each_address_is_told_once(world: World, post: Post, sender: Callable[..., Sender]) -> None:
    fail(world, "a", "b")
    one = sender()
    for _ in range(3):
        one.turn()
        world.later(days=1)
    assert post.got == [("a", "flights: nightly failed"), ("b", "flights: nightly failed")]
    assert one.outbox.count() == {AlertState.DUE: 0, AlertState.TOLD: 2, AlertState.GIVEN_UP: 0}


def test_an_address_that_fails_is_tried_again_later_and_later_and_the_others_are_not_told_twice(
    world: World, post: Post, sender: Callable[..., Sender]
) -> None:
    fail(world, "a", "b")
    post.broken = {"a"}
    one, began, tried = sender(), world.now, []
    for _ in range(8):
        before = len(post.tried)
        one.turn()
        tried += [(world.now - began).total_seconds() / 60] * post.tried[before:].count("a")
        world.later(minutes=1)
    assert tried == [0, 1, 3, 7]
    (alert,) = one.outbox.unsent()
    assert (alert.address, alert.tries, alert.problem) == ("a", 4, "nobody is there")
    post.broken = set()
    world.later(minutes=8)
    one.turn()
    assert post.got == [("b", "flights: nightly failed"), ("a", "flights: nightly failed")]
    assert one.outbox.unsent() == []


def test_the_delay_grows_to_a_day() -> None:
    assert [delay(tries).total_seconds() / 60 for tries in range(4)] == [1, 2, 4, 8]
    assert delay(11) == delay(10**6) == LONGEST_DELAY


def test_what_is_a_week_old_is_given_up_and_shown(world: World, post: Post, sender: Callable[..., Sender]) -> None:
    fail(world, "a")
    post.broken = {"a"}
    one = sender()
    for _ in range(12):
        one.turn()
        world.later(seconds=GIVE_UP.total_seconds() / 8)
    assert one.outbox.unsent() == []
    assert [(alert.address, alert.problem) for alert in one.outbox.given_up()] == [("a", "nobody is there")]


def test_while_an_address_fails_all_that_is_for_it_waits_and_comes_when_it_is_back(
    world: World, post: Post, sender: Callable[..., Sender]
) -> None:
    fail(world, "a", name="one")
    world.later(minutes=-30)
    fail(world, "a", name="two")
    post.broken = {"a"}
    one = sender()
    one.turn()
    assert post.tried == ["a"]
    post.broken = set()
    world.later(minutes=-30)
    fail(world, "a", name="three")  # which is tried at once
    one.turn()
    assert sorted(title for _, title in post.got) == [f"flights: {name} failed" for name in ("one", "three", "two")]


def test_two_senders_at_the_same_time_tell_once(world: World, post: Post, sender: Callable[..., Sender]) -> None:
    fail(world, *(f"place-{number}" for number in range(30)))
    threads = []
    for number in range(4):
        one = sender(f"sender-{number}")
        threads.append(threading.Thread(target=lambda one=one: (one.turn(), one.outbox.close())))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(address for address, _ in post.got) == sorted(f"place-{number}" for number in range(30))


def test_what_a_dead_sender_had_claimed_is_sent_by_the_next(
    world: World, post: Post, sender: Callable[..., Sender]
) -> None:
    fail(world, "a")
    dead = sender("dead")
    assert dead.outbox.claim(dead.outbox.due(world.now)[0], "dead")
    sender("other").turn()
    assert post.got == []
    sender("other", lambda owner: owner != "dead").turn()
    assert len(post.got) == 1


def test_what_an_old_address_has_not_got_goes_to_the_new_one(
    world: World, post: Post, sender: Callable[..., Sender]
) -> None:
    fail(world, "mistyped", "b")
    post.broken = {"mistyped"}
    one = sender()
    one.turn()
    schedule = world.ledger.entry("nightly").schedule
    world.ledger.add(type(schedule)(**{**vars(schedule), "alerts": ("a", "b")}), world.now, replace=True)
    one.turn()
    assert post.got == [("b", "flights: nightly failed"), ("a", "flights: nightly failed")]
    assert one.outbox.unsent() == []


def test_a_removed_schedule_is_still_told_of(world: World, post: Post, sender: Callable[..., Sender]) -> None:
    fail(world, "a")
    world.ledger.remove("nightly", world.now)
    sender().turn()
    assert len(post.got) == 1


def test_news_is_deleted_when_it_is_old_and_everybody_has_been_told(
    world: World, post: Post, sender: Callable[..., Sender]
) -> None:
    fail(world, "a", "b")
    post.broken = {"b"}
    one, scheduler = sender(), world.scheduler()
    one.turn()
    world.ledger.remove("nightly", world.now)
    world.later(days=KEPT.days, seconds=1)
    scheduler.turn()
    assert [alert.address for alert in one.outbox.unsent()] == ["b"]
    one.turn()
    assert one.outbox.count() == {AlertState.DUE: 0, AlertState.TOLD: 1, AlertState.GIVEN_UP: 1}
    world.later(days=1)
    scheduler.turn()
    assert one.outbox.count() == dict.fromkeys(AlertState, 0)
    assert rows(world, "news") == 0
    assert [tick.state for tick in world.ledger.history("nightly")] == [TickState.FAILED]


def test_news_is_kept_as_long_as_is_said(world: World, sender: Callable[..., Sender]) -> None:
    fail(world, "a")
    one = sender()
    one.turn()
    world.ledger.remove("nightly", world.now)
    world.later(days=KEPT.days)
    world.scheduler().turn()
    assert one.outbox.count()[AlertState.TOLD] == rows(world, "news") == 1


def test_a_tick_that_waits_for_ever_is_told_of_once(
    world: World, post: Post, sender: Callable[..., Sender]
) -> None:  # fmt: skip
    world.limits = Limits(at_once=0)
    world.add("at 2026-11-28 13:00", zone="UTC", late=60.0, alerts=("a",))
    scheduler, one = world.scheduler(), sender()
    world.later(hours=1)
    scheduler.turn()
    for _ in range(4):
        world.later(days=KEPT.days)
        scheduler.turn()
        one.turn()
    assert post.got == [("a", "flights: nightly is late")]


def test_much_old_news_is_deleted_bit_by_bit(world: World) -> None:
    world.add("@yearly")
    scheduler = world.scheduler()
    much = [News(kind="late", schedule="nightly", time=world.now, text="")] * (2 * PRUNED_AT_ONCE + 1)
    assert world.ledger.look(world.ledger.entry("nightly"), world.now, Dues((), ()), much)
    world.ledger.pause("nightly", paused=True)
    world.later(days=KEPT.days, seconds=1)
    left = []
    for _ in range(3):
        scheduler.turn()
        left.append(rows(world, "news"))
    assert left == [PRUNED_AT_ONCE + 1, 1, 0]


def rows(world: World, table: str) -> int:
    connection = sqlite3.connect(world.ledger.path)
    (found,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
    connection.close()
    return int(found)


def test_a_plugin_that_raises_is_a_problem_like_any_other(world: World, sender: Callable[..., Sender]) -> None:
    fail(world, "json://geheim")

    def explode(address: str, _message: Message) -> str:
        raise ValueError(address)

    one = sender()
    broken = Sender(**{**{name: getattr(one, name) for name in one.__dataclass_fields__}, "send": explode})
    broken.turn()
    (alert,) = one.outbox.unsent()
    assert alert.problem == "the service's plugin ended with ValueError"
    assert alert.not_before == world.now + timedelta(minutes=1)
