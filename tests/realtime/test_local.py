"""One room on one node, against the memory log: no hole, whatever the bus does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from infra.clock import Clock, milliseconds
from realtime.connections import Connection
from realtime.entries import Pin, PinChanged, Poll, RoomSettings, User
from realtime.errors import RoomNotFound
from realtime.events import JoinRoom
from realtime.handlers.room import RoomHandlers
from realtime.room.local import Room
from realtime.room.log import Draft, Known, Line, Position
from realtime.room.log_memory import MemoryRoomLog
from realtime.room.presence import Watching
from realtime.room.rules import Rules, Sanction
from realtime.wire.fanout import MAX_ENTRIES_PER_FRAME, Audience, Frame, Merger
from tests.realtime.logs import Decisions
from tests.realtime.nodes import snapshot, until

ROOM = "stream-1"


class Screen:
    """A member that keeps what it is shown, as one that polls does."""

    descriptor = -1
    writable = False

    def __init__(self) -> None:
        self.frames: list[tuple[str, Any]] = []

    def offer(self, packet: str | bytes, *, droppable: bool = False) -> None:
        name, body = json.loads(packet[2:])
        self.frames.append((name, body))

    def offer_frame(self, frame: Frame) -> None:
        for packet in frame.packets:
            name, body = json.loads(packet[2:])
            self.frames.append((name, body))

    def entered(self, audience: Audience) -> None: ...

    def left(self, audience: Audience) -> None: ...

    def write_rest(self, data: bytes) -> None: ...

    @property
    def offsets(self) -> list[int]:
        return [entry["offset"] for name, body in self.frames if name == "chat" for entry in body]


class World:
    """A room, its log and a bus that can be made to lose messages."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.sent: list[int] = []
        self.log = MemoryRoomLog(lambda: datetime.now(UTC), lambda _, payload: self.said.append(payload))
        self.told: list[tuple[str, str]] = []
        self.changed: list[str] = []
        self.count_sent: Callable[[int], object] = self.sent.append
        self.clock: Clock = lambda: datetime.now(UTC)
        self.known: Callable[[str], Awaitable[Known]] = self.log.known
        self.standing_changed: Callable[[Room, str], None] = lambda _, user: self.changed.append(user)
        self.to_user: Callable[[str, str, str], None] = lambda _, user, frame: self.told.append((user, frame))
        self.room = Room(snapshot(ROOM), self.log, self)
        self.screen = Screen()
        self.room.audience.add(self.screen)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        return asyncio.create_task(work)

    async def say(self, count: int = 1) -> None:
        for _ in range(count):
            number = len(self.said)
            await self.log.append(ROOM, Draft(f"user-{number}", f"id-{number}", b'{"stream_id":"stream-1"}'))

    @property
    def epoch(self) -> bytes:
        assert self.room.position is not None
        return self.room.position.epoch.encode()

    def deliver_payload(self, payload: bytes) -> None:
        self.room.received(payload)

    def deliver(self, *numbers: int) -> None:
        for number in numbers:
            self.room.received(self.said[number - 1])


@pytest.fixture
async def world() -> World:
    world = World()
    await world.room.begin()
    return world


async def test_what_was_passed_on_after_the_reading_is_bridged(world: World) -> None:
    found = await world.log.since(ROOM, None)
    await world.say(2)
    world.deliver(1, 2)
    bridge = world.room.lines.bridge(found)
    assert bridge is not None
    assert [line.offset for line in bridge] == [1, 2]


@pytest.mark.parametrize("heard", [[3], [1, 3], [2, 3], [3, 2, 1], [1, 1, 2, 2, 3], [2, 1, 3]])
async def test_lost_repeated_and_late_messages_make_no_hole(world: World, heard: list[int]) -> None:
    await world.say(3)
    world.deliver(*heard)
    await until(lambda: len(world.screen.offsets) >= 3)
    assert world.screen.offsets == [1, 2, 3]


async def test_what_is_said_before_the_room_knows_its_place_is_fetched() -> None:
    world = World()
    await world.say()
    world.deliver(1)  # heard by the subscription, before the first look into the log
    world.log.lose(ROOM)
    await world.log.since(ROOM, None)
    await world.room.begin()
    await until(lambda: world.screen.frames)
    assert world.screen.frames[0][0] == "room:reset"


async def test_a_log_that_was_lost_resets_the_room(world: World) -> None:
    await world.say()
    world.deliver(1)
    world.log.lose(ROOM)
    await world.say()
    world.deliver(2)
    await until(lambda: ("room:reset", {"stream_id": ROOM}) in world.screen.frames)
    await until(lambda: world.room.position == Position(world.said[1].split()[1].decode(), 1))


async def test_a_quiet_room_sends_at_once_and_a_busy_one_merges() -> None:
    audience, screen = Audience(lambda _: None), Screen()
    audience.add(screen)
    merger = Merger(audience)
    merger.push(b"1")
    assert screen.frames == [("chat", [1])]
    for number in range(2, 2 * MAX_ENTRIES_PER_FRAME):
        merger.push(str(number).encode())
    assert len(screen.frames) == 1
    await until(lambda: len(screen.frames) == 3)
    assert [body[0] for _, body in screen.frames] == [1, 2, 2 + MAX_ENTRIES_PER_FRAME]
    merger.push(b"5")
    merger.flush()
    assert screen.frames[-1] == ("chat", [5])
    merger.forget()


async def test_the_rules_are_known_without_asking(world: World) -> None:
    decide = Decisions(world.log, ROOM)
    await decide.make(entry=False, settings=RoomSettings(slow_seconds=7), sanction=("eve", Sanction(until=None)))
    assert world.room.scene.settings.slow_seconds == 0
    world.deliver(1)
    assert world.room.scene.settings.slow_seconds == 7
    assert world.room.sanction_of("eve") == Sanction(until=None)
    assert world.changed == ["eve"]
    other = World()
    await Decisions(other.log, ROOM).make(entry=False, settings=RoomSettings(slow_seconds=9))
    await other.room.begin()
    assert other.room.scene.settings.slow_seconds == 9


async def test_a_change_that_was_missed_is_read_with_all_others(world: World) -> None:
    decide = Decisions(world.log, ROOM)
    await decide.make(entry=False, role=("mo", "moderator"))
    await decide.make(entry=False, sanction=("eve", Sanction(until=None)))
    world.deliver(2)
    await until(lambda: world.room.scene.rules.revision == 2)
    assert world.room.scene.rules.roles == {"mo": "moderator"}
    assert sorted(world.changed) == ["eve", "mo"]


async def test_a_removal_reaches_the_lines_in_memory(world: World) -> None:
    await world.say(3)
    world.deliver(1, 2, 3)
    await Decisions(world.log, ROOM).make("!u user-1")
    world.deliver(4, 5)
    found = world.room.lines.answer(None)
    assert found is not None
    kinds = [json.loads(line.entry).get("kind") for line in found.lines]
    assert kinds == [None, "removed", None, None]
    assert found.lines == await world.log.tail(ROOM, 10)


async def test_moderators_see_a_delayed_message_first_and_a_removed_one_arrives_as_its_stone(world: World) -> None:
    staff = Screen()
    world.room.staff.add(staff)
    settings = json.dumps({"kind": "settings", "stream_id": ROOM, "id": "c", "at": 1, "settings": {"delay_seconds": 2}})
    world.deliver_payload(b"m %s 1 !\n%s" % (world.epoch, b'{"offset":1,' + settings[1:].encode()))
    await world.say()
    world.deliver_payload(b'm %s 2 user-1 id-1\n{"offset":2,"text":"rude"}' % world.epoch)
    await until(lambda: staff.offsets == [1, 2])
    assert world.screen.offsets == [1]
    assert world.room.shown(staff=False) == Position(world.epoch.decode(), 1)
    world.deliver_payload(b'm %s 3 !u user-1\n{"offset":3}' % world.epoch)
    hint = {"stream_id": ROOM, "user_id": "user-1", "message_id": None}
    await until(lambda: world.screen.frames[-1] == ("room:removed", hint))
    await until(lambda: world.screen.offsets == [1, 2, 3])
    assert "rude" not in json.dumps(world.screen.frames)
    assert "rude" in json.dumps(staff.frames)


async def test_what_was_said_while_the_log_was_read_anew_is_read_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The subscription breaks again during the read: the answer on its way lacks what comes before it stands."""
    since = world.log.since

    async def late_answer(*question: Any, **options: Any) -> Any:
        answer = await since(*question, **options)
        if not world.said:
            await world.say()
            world.room.resumed()
        return answer

    monkeypatch.setattr(world.log, "since", late_answer)
    world.room.resumed()
    await until(lambda: world.screen.offsets == [1])


async def test_who_changes_sides_is_told_that_something_may_be_missing() -> None:
    world = World()
    await world.room.begin()
    ada, screen = User(id="user-1", name="Ada", role="viewer"), Screen()
    world.room.enter(screen, ada, desk=False)
    world.room.enter(screen, ada, desk=False)
    assert screen.frames == []
    world.room.enter(screen, User(id="user-1", name="Ada", role="moderator"), desk=False)
    world.room.enter(screen, ada, desk=False)
    assert screen.frames == [("room:lagged", {"stream_id": ROOM})] * 2
    world.room.close()


async def test_who_is_here_hears_when_their_timeout_is_over() -> None:
    world = World()
    await world.room.begin()
    ada, until_ms = User(id="user-1", name="Ada", role="viewer"), milliseconds(world.clock()) + 30
    world.room.scene.rules = Rules(sanctions={ada.id: Sanction(until=until_ms), "user-2": Sanction(until=None)})
    for user_id in (ada.id, "user-2", "user-3"):
        world.room.enter(Screen(), User(id=user_id, name="Ada", role="viewer"), desk=False)
    await until(lambda: world.changed)
    assert world.changed == [ada.id]
    assert world.room.sanction_of(ada.id) is None
    world.room.close()


async def test_who_joins_late_is_told_the_votes_so_far() -> None:
    world = World()
    await world.room.begin()
    poll = Poll(id="poll-1", question="Tea?", choices=["yes", "no"], votes=[0, 0], state="open", closes_at=1)
    world.room.scene.poll = poll
    for poll_id, votes in (("poll-1", "[3,4]"), ("poll-0", "[9,9]")):
        world.room.received(f'p {{"stream_id":"{ROOM}","poll_id":"{poll_id}","votes":{votes}}}'.encode())
    assert world.room.scene.poll.votes == [3, 4]
    world.room.close()


async def test_what_was_removed_from_a_lost_log_covers_nothing_of_the_next(world: World) -> None:
    world.deliver_payload(b'm %s 1 !*\n{"offset":1,"kind":"none"}' % world.epoch)
    world.log.lose(ROOM)
    world.room.resumed()
    old = world.room.position
    await until(lambda: world.room.position != old)
    pin = Pin(message_id="message-1", user=User(id="eve", name="Eve", role="viewer"), text="hello", until=2**50)
    entry = PinChanged(offset=0, stream_id=ROOM, id="pin-1", at=1, pin=pin)
    world.room.scene.look(Line(0, msgspec.json.encode(entry), b"+eve message-1"))
    assert world.room.pin_for(None) == pin


class NoRooms:
    """None of the streams asked for is there."""

    def find(self, stream_id: str) -> None: ...

    async def join(self, *_: object, **__: object) -> None:
        raise RoomNotFound


class NobodyWatches:
    async def watching(self, stream_id: str) -> Watching:
        return Watching(0, 0)


async def test_a_desk_that_is_nowhere_is_not_remembered() -> None:
    who = Connection("socket-1", cast("Any", None), None, None)
    entering = RoomHandlers(cast("Any", NoRooms()), cast("Any", NobodyWatches()))
    with pytest.raises(RoomNotFound):
        await entering.join(who, JoinRoom(stream_id="stream-9", desk=True))
    assert who.desks == set()
