"""What every bus promises, asked of both on real brokers."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from infra.bus.port import MAX_BODY_BYTES, Bus, BusUnavailable, DeadLetter, Message, MessageTooLarge, Retry
from infra.bus.rabbit import SETTLE_SECONDS
from infra.clock import new_id, system_clock
from infra.logs import correlation_id
from infra.metrics import Metrics
from tests.contracts.conftest import LEASE_SECONDS, Broker

AT_ONCE = Retry(attempts=3, first_seconds=0.05, longest_seconds=0.1)


def message(topic: str, body: str = "{}", *, correlation: str = "") -> Message:
    return Message(new_id(), topic, body.encode(), system_clock(), correlation)


@pytest.fixture
def area() -> str:
    """Topics, groups and queues of this test only."""
    return f"t{uuid4().hex[:10]}"


class Heard:
    """A handler that remembers bodies, and tests that wait for them."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self._more = asyncio.Event()

    async def __call__(self, received: Message) -> None:
        self.bodies.append(received.body.decode())
        self._more.set()

    async def until(self, enough: Callable[[list[str]], bool], seconds: float = 30) -> list[str]:
        async with asyncio.timeout(seconds):
            while not enough(self.bodies):
                self._more.clear()
                await self._more.wait()
        return self.bodies

    async def count(self, number: int) -> list[str]:
        return await self.until(lambda bodies: len(bodies) >= number)


async def buried(bus: Bus, name: str, number: int = 1) -> list[DeadLetter]:
    async with asyncio.timeout(30):
        while True:
            letters = await bus.dead(name)
            if len(letters) >= number:
                return letters
            await asyncio.sleep(0.05)


async def publish_through(bus: Bus, sent: Message) -> None:
    """Publish as the outbox does: again, with the same id, until the broker has it."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await bus.publish(sent)
            except BusUnavailable:
                await asyncio.sleep(0.1)


async def test_a_group_hears_exact_topics_and_families_and_nothing_else(bus: Bus, area: str) -> None:
    exact, family = Heard(), Heard()
    await bus.subscribe(f"{area}-exact", [f"{area}.ended"], exact)
    await bus.subscribe(f"{area}-family", [f"{area}.*"], family)
    for topic in (f"{area}.began", f"{area}x.ended", f"{area}.deep.ended", f"{area}.ended"):
        await bus.publish(message(topic, topic))
    assert await exact.count(1) == [f"{area}.ended"]
    assert await family.count(2) == [f"{area}.began", f"{area}.ended"]


async def test_an_event_reaches_one_process_of_a_group_and_every_listener(broker: Broker, area: str) -> None:
    group, listeners = Heard(), [Heard(), Heard()]
    processes = [await broker.open(), await broker.open()]
    for process, listener in zip(processes, listeners, strict=True):
        await process.subscribe(area, [f"{area}.*"], group)
        await process.listen([f"{area}.*"], listener)
    for number in range(20):
        await processes[number % 2].publish(message(f"{area}.said", str(number)))
    expected = [str(number) for number in range(20)]
    assert [await listener.count(20) for listener in listeners] == [expected, expected]
    await group.count(20)
    await bus_is_quiet(processes[0], area)
    assert sorted(group.bodies, key=int) == expected


async def bus_is_quiet(bus: Bus, area: str) -> None:
    """Something sent later has arrived, so nothing sent earlier is still on its way."""
    last = Heard()
    await bus.subscribe(f"{area}-last", [f"{area}-last.sent"], last)
    await bus.publish(message(f"{area}-last.sent"))
    await last.count(1)


async def test_one_consumer_handles_events_in_the_order_they_were_published(bus: Bus, area: str) -> None:
    heard = Heard()
    await bus.subscribe(area, [f"{area}.said"], heard)
    for number in range(50):
        await bus.publish(message(f"{area}.said", str(number)))
    assert await heard.count(50) == [str(number) for number in range(50)]


async def test_events_wait_for_a_group_that_is_not_running(broker: Broker, area: str) -> None:
    first, second = await broker.open(), await broker.open()
    subscription = await first.subscribe(area, [f"{area}.said"], Heard())
    await subscription.close()
    await second.publish(message(f"{area}.said", "while you were away"))
    heard = Heard()
    await second.subscribe(area, [f"{area}.said"], heard)
    assert await heard.count(1) == ["while you were away"]


async def test_an_event_nobody_subscribed_to_is_no_error(bus: Bus, area: str) -> None:
    await bus.publish(message(f"{area}.unheard"))


async def test_a_handler_that_raises_is_tried_again_and_then_dead_with_the_reason(broker: Broker, area: str) -> None:
    metrics = Metrics()
    bus = await broker.open(metrics)
    attempts: list[int] = []

    async def fail(received: Message) -> None:
        attempts.append(received.attempt)
        raise ValueError("no such video")

    await bus.subscribe(area, [f"{area}.said"], fail, retry=AT_ONCE)
    sent = message(f"{area}.said", "poison")
    await bus.publish(sent)
    [letter] = await buried(bus, area)
    assert attempts == [1, 2, 3]
    assert (letter.message.id, letter.message.body) == (sent.id, b"poison")
    assert letter.reason == "ValueError: no such video"
    assert await bus.dead(area) == [letter], "looking at dead letters takes nothing away"
    assert metrics.registry.get_sample_value("footlight_bus_dead_total", {"name": area}) == 1
    assert metrics.registry.get_sample_value("footlight_bus_failed_total", {"name": area}) == 2


async def test_others_are_handled_while_one_message_fails(bus: Bus, area: str) -> None:
    heard = Heard()

    async def fussy(received: Message) -> None:
        if received.body == b"bad" and received.attempt < 3:
            raise ValueError
        await heard(received)

    await bus.work(area, fussy, retry=AT_ONCE)
    for body in ("bad", "good"):
        await bus.enqueue(area, message(area, body))
    assert await heard.count(2) == ["good", "bad"]


async def test_another_group_is_not_touched_by_a_failure(bus: Bus, area: str) -> None:
    async def fail(received: Message) -> None:
        raise ValueError

    calm = Heard()
    await bus.subscribe(f"{area}-a", [f"{area}.said"], fail, retry=AT_ONCE)
    await bus.subscribe(f"{area}-b", [f"{area}.said"], calm)
    await bus.publish(message(f"{area}.said", "x"))
    await buried(bus, f"{area}-a")
    await bus_is_quiet(bus, area)
    assert calm.bodies == ["x"]


async def test_jobs_wait_for_a_worker_and_each_is_done_once(broker: Broker, area: str) -> None:
    processes = [await broker.open(), await broker.open()]
    for number in range(20):
        await processes[0].enqueue(area, message(area, str(number)))
    done = Heard()
    for process in processes:
        await process.work(area, done, concurrency=3)
    await done.count(20)
    await bus_is_quiet(processes[0], area)
    assert sorted(done.bodies, key=int) == [str(number) for number in range(20)]


async def test_a_delayed_job_comes_after_one_that_was_asked_for_later(bus: Bus, area: str) -> None:
    done = Heard()
    await bus.work(area, done)
    await bus.enqueue(area, message(area, "later"), delay_seconds=0.8)
    await bus.enqueue(area, message(area, "now"))
    assert await done.count(2) == ["now", "later"]


async def test_the_same_id_is_handled_once(bus: Bus, area: str) -> None:
    heard, done = Heard(), Heard()
    await bus.subscribe(area, [f"{area}.said"], heard)
    await bus.work(area, done, concurrency=4)
    for body in ("first", "last"):
        event, job = message(f"{area}.said", body), message(area, body)
        for _ in range(3):
            await bus.publish(event)
            await bus.enqueue(area, job)
    await heard.until(lambda bodies: "last" in bodies)
    await done.until(lambda bodies: "last" in bodies)
    await bus_is_quiet(bus, area)
    assert (heard.bodies, sorted(done.bodies)) == (["first", "last"], ["first", "last"])


async def test_no_more_jobs_run_at_once_than_asked_for(bus: Bus, area: str) -> None:
    running, most, done = 0, 0, Heard()

    async def slow(received: Message) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        await done(received)

    await bus.work(area, slow, concurrency=3)
    for number in range(12):
        await bus.enqueue(area, message(area, str(number)))
    await done.count(12)
    assert most == 3


async def test_a_handler_runs_under_the_correlation_id_of_its_message(bus: Bus, area: str) -> None:
    found: list[str] = []
    heard = Heard()

    async def look(received: Message) -> None:
        found.append(correlation_id())
        await heard(received)

    await bus.subscribe(area, [f"{area}.said"], look)
    await bus.listen([f"{area}.said"], look)
    await bus.publish(message(f"{area}.said", correlation="req-7"))
    await heard.count(2)
    assert found == ["req-7", "req-7"]


async def test_a_message_arrives_as_it_was_sent(bus: Bus, area: str) -> None:
    received: list[Message] = []
    done = asyncio.Event()

    async def keep(one: Message) -> None:
        received.append(one)
        done.set()

    await bus.work(area, keep)
    sent = Message(new_id(), area, '{"title": "Grüße, 世界"}'.encode(), system_clock(), "c-1")
    await bus.enqueue(area, sent)
    await asyncio.wait_for(done.wait(), 30)
    assert received == [sent]


async def test_closing_waits_for_the_handler_in_hand_and_takes_nothing_more(broker: Broker, area: str) -> None:
    bus, other = await broker.open(), await broker.open()
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def slow(received: Message) -> None:
        begun.set()
        await may_end.wait()
        ended.append(received.body)

    subscription = await bus.work(area, slow)
    await bus.enqueue(area, message(area, "one"))
    await bus.enqueue(area, message(area, "two"))
    await asyncio.wait_for(begun.wait(), 30)
    closing = asyncio.create_task(subscription.close())
    await asyncio.sleep(0.1)
    assert not closing.done()
    may_end.set()
    await asyncio.wait_for(closing, 30)
    assert ended == [b"one"]
    rest = Heard()
    await other.work(area, rest)
    assert await rest.count(1) == ["two"]


async def test_a_listener_that_raises_hears_the_next_event(bus: Bus, area: str) -> None:
    heard = Heard()

    async def moody(received: Message) -> None:
        if received.body == b"bad":
            raise ValueError
        await heard(received)

    await bus.listen([f"{area}.said"], moody)
    for body in ("bad", "good"):
        await bus.publish(message(f"{area}.said", body))
    assert await heard.count(1) == ["good"]


async def test_a_closed_listener_hears_nothing(bus: Bus, area: str) -> None:
    closed, still = Heard(), Heard()
    first = await bus.listen([f"{area}.said"], closed)
    await bus.listen([f"{area}.said"], still)
    await first.close()
    await bus.publish(message(f"{area}.said"))
    await still.count(1)
    assert closed.bodies == []


async def test_a_body_over_the_limit_is_refused_before_it_is_sent(area: str) -> None:
    with pytest.raises(MessageTooLarge):
        message(area, "x" * (MAX_BODY_BYTES + 1))


@pytest.fixture
async def victim(broker: Broker, area: str, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A real process that takes one message of the queue and never answers."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.contracts.stuck_worker", broker.kind, broker.url, area, *broker.redis.nodes,
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def test_a_message_in_the_hand_of_a_killed_process_is_handled_by_another(
    broker: Broker, area: str, victim: asyncio.subprocess.Process
) -> None:
    bus = await broker.open()
    await bus.enqueue(area, message(area, "precious"))
    assert victim.stdout is not None
    assert await asyncio.wait_for(victim.stdout.readline(), 30) == b"in hand\n"
    victim.send_signal(signal.SIGKILL)
    await victim.wait()
    attempts: list[int] = []
    done = Heard()

    async def rescue(received: Message) -> None:
        attempts.append(received.attempt)
        await done(received)

    await bus.work(area, rescue)
    assert await done.count(1) == ["precious"]
    assert attempts == [2]


async def test_a_message_that_takes_every_consumer_down_is_dead_with_the_reason(
    broker: Broker, area: str, victim: asyncio.subprocess.Process
) -> None:
    bus = await broker.open()
    await bus.enqueue(area, message(area, "deadly"))
    assert victim.stdout is not None
    await asyncio.wait_for(victim.stdout.readline(), 30)
    victim.send_signal(signal.SIGKILL)
    await victim.wait()
    handled = Heard()
    await bus.work(area, handled, retry=Retry(attempts=1))
    [letter] = await buried(bus, area)
    assert (letter.message.body, handled.bodies) == (b"deadly", [])
    assert "died" in letter.reason


async def test_a_handler_slower_than_the_lease_keeps_its_message(broker: Broker, area: str) -> None:
    begun: list[str] = []
    done = Heard()

    async def slow(received: Message) -> None:
        begun.append(received.id)
        await asyncio.sleep(LEASE_SECONDS * 2)
        await done(received)

    for _ in range(2):
        await (await broker.open()).work(area, slow)
    await (await broker.open()).enqueue(area, message(area, "long"))
    await done.count(1)
    assert len(begun) == 1


async def test_nothing_confirmed_is_lost_when_the_broker_is_killed(broker: Broker, area: str) -> None:
    bus = await broker.open(settle_seconds=SETTLE_SECONDS)
    group, listener, jobs = Heard(), Heard(), Heard()
    await bus.subscribe(area, [f"{area}.said"], group)
    await bus.listen([f"{area}.said"], listener)
    await bus.work(area, jobs, concurrency=2)
    await bus.enqueue(area, message(area, "before"), delay_seconds=1)
    for number in range(30):
        await bus.publish(message(f"{area}.said", str(number)))
    publishing = asyncio.create_task(publish_all(bus, [message(f"{area}.said", str(n)) for n in range(30, 60)]))
    await broker.kill()
    with pytest.raises(BusUnavailable):
        await bus.publish(message(f"{area}.said", "lost"))
    await broker.start_again()
    await publishing
    await bus.ping()
    await bus.enqueue(area, message(area, "after"))
    expected = {str(number) for number in range(60)}
    await group.until(lambda bodies: expected <= set(bodies))
    await listener.until(lambda bodies: expected <= set(bodies))
    await jobs.until(lambda bodies: {"before", "after"} <= set(bodies))
    assert [body for body in listener.bodies if body != "lost"] == [str(number) for number in range(60)]


async def publish_all(bus: Bus, messages: Sequence[Message]) -> None:
    for one in messages:
        await publish_through(bus, one)


async def test_a_broker_that_is_gone_is_unavailable(broker: Broker, area: str) -> None:
    bus = await broker.open()
    await broker.kill()
    try:
        answers = await asyncio.gather(
            bus.ping(),
            bus.enqueue(area, message(area)),
            bus.dead(area),
            bus.work(area, Heard()),
            bus.listen([area], Heard()),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [BusUnavailable] * 5
    finally:
        await broker.start_again()
    await publish_through(bus, message(f"{area}.said"))


async def test_closing_leaves_nothing_running(broker: Broker, area: str) -> None:
    before = asyncio.all_tasks()
    bus = await broker.open()
    await bus.subscribe(area, [f"{area}.*"], Heard())
    await bus.listen([f"{area}.*"], Heard())
    await bus.work(area, Heard())
    await bus.publish(message(f"{area}.said"))
    await broker.close()
    for _ in range(100):
        left = {task for task in asyncio.all_tasks() - before if not task.done()}
        if not left:
            break
        await asyncio.sleep(0.02)
    assert left == set()
