"""Held messages, polls, reactions and raids from handler to screen, on two nodes with one channel's truth."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

from accounts.model import Identity
from infra.clock import system_clock
from infra.errors import FootlightError, Unauthenticated
from infra.metrics import Metrics
from infra.settings import RealtimeSettings, RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.cluster import open_channels
from realtime.connections import Connection, Connections
from realtime.entries import Message, User
from realtime.errors import NotInRoom
from realtime.handlers.chat import let_through
from realtime.handlers.features import FeatureHandlers
from realtime.handlers.standing import Standings
from realtime.moderation.bodies import (
    Approve,
    ClaimHeld,
    ClosePoll,
    Command,
    Deny,
    OpenPoll,
    React,
    StartRaid,
    Timeout,
    Vote,
)
from realtime.moderation.errors import NotAllowed, RaidTarget
from realtime.moderation.held import HeldQueue
from realtime.moderation.live import LiveChannels
from realtime.moderation.once import Once
from realtime.moderation.record import Records
from realtime.moderation.truth import ChannelTruth
from realtime.ports import StreamSnapshot
from realtime.room.features import feature_functions
from realtime.room.feed import RoomFeed
from realtime.room.log_redis import RedisRoomLog, room_functions
from realtime.room.polls import Polls
from realtime.room.presence import Presence, presence_functions
from realtime.room.projection import Projection
from realtime.room.raids import Raids
from realtime.room.reactions import Reactions
from realtime.room.rooms import Rooms
from realtime.room.streams import Streams
from tests.realtime.moderation.conftest import moderator
from tests.realtime.moderation.stage import Stage
from tests.realtime.nodes import DeafSocket, snapshot, until
from tests.realtime.test_local import Screen


class Shown(Screen, DeafSocket):
    """A screen that is also told things one by one."""

    def offer(self, packet: str | bytes, *, droppable: bool = False) -> None:
        name, body = msgspec.json.decode(packet[2:])
        self.frames.append((name, body))

    def bodies(self, event: str) -> list[Any]:
        return [body for name, body in self.frames if name == event]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entries in self.bodies("chat") for entry in entries if entry["kind"] == kind]


class OneStream:
    def __init__(self, stream: StreamSnapshot) -> None:
        self._stream = stream

    async def snapshot(self, stream_id: str) -> StreamSnapshot | None:
        return self._stream if stream_id == self._stream.id else None


class FeatureNode:
    """A node as far as it concerns features."""

    def __init__(self, redis: Redis, channels: Any, stage: Stage, stream: StreamSnapshot) -> None:
        truth, functions = ChannelTruth(stage.db, clock=stage.clock), room_functions(redis)

        async def cold(_: str) -> Any:
            return await truth.rules(stream.creator_id)

        async def say(stream_id: str, message: Message) -> object:
            return await let_through(self.log, stream_id, message)

        async def viewers(_: str) -> int:
            return 3000

        self.log = RedisRoomLog(functions, cold=cold)
        projection = self.projection = Projection(self.log, truth)
        records = Records(stage.db, stage.outbox, projection, RoomFeed(redis), clock=stage.clock)
        record, known, mine = Once(records, projection).record, self.log.known, feature_functions(redis)
        self.connections = Connections(system_clock)
        self.rooms = Rooms(
            channels, self.log, Streams(redis, functions, OneStream(stream)), Metrics().room_messages.labels("out").inc,
            Standings(self.connections, Presence(presence_functions(redis))), stage.clock, RealtimeSettings(),
        )  # fmt: skip
        self.held = HeldQueue(mine, known, say, record)
        self.handlers = FeatureHandlers(
            rooms=self.rooms,
            held=self.held,
            polls=Polls(mine, known, record, told_every_seconds=0.0),
            reactions=Reactions(mine, known, told_every_seconds=0.0),
            raids=Raids(
                mine, known, record, channels=LiveChannels(stage.db, clock=stage.clock), viewers=viewers
            ),
        )  # fmt: skip

    async def enter(self, stream_id: str, user: User | None, *, desk: bool = False) -> tuple[Connection, Shown]:
        screen = Shown()
        identity = None
        if user is not None:
            identity = Identity(
                user_id=user.id, display_name=user.name, role="free", subscription_tier="free", session_id="s1",
                expires_at=system_clock(),
            )  # fmt: skip
        who = Connection(f"socket-{id(screen)}", screen, identity, None)
        self.connections.add(who, since=0)
        await self.rooms.join(stream_id, screen, None, identity, desk=desk)
        who.rooms.add(stream_id)
        return who, screen


@pytest.fixture
def stage(db: Postgres) -> Stage:
    return Stage(db)


@pytest.fixture
async def cleo(stage: Stage) -> User:
    return await stage.person("Cleo", platform="creator", role="creator")


@pytest.fixture
async def stream(stage: Stage, cleo: User) -> StreamSnapshot:
    return snapshot(await stage.stream(cleo), creator_id=cleo.id, creator_name=cleo.name)


@pytest.fixture
async def nodes(
    redis: Redis, redis_settings: RedisSettings, stage: Stage, stream: StreamSnapshot
) -> AsyncIterator[list[FeatureNode]]:
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            channels = await stack.enter_async_context(open_channels(redis, redis_settings))
            made.append(FeatureNode(redis, channels, stage, stream))
            stack.push_async_callback(made[-1].rooms.close)
        yield made


async def test_a_poll_is_on_every_screen_from_its_opening_to_its_end(
    nodes: list[FeatureNode], stage: Stage, stream: StreamSnapshot, cleo: User
) -> None:
    ada = await stage.person("Ada")
    (creator, _), (viewer, screen) = await nodes[0].enter(stream.id, cleo), await nodes[1].enter(stream.id, ada)
    asked = OpenPoll(stream_id=stream.id, question="Tea?", choices=["yes", "no"])
    await nodes[0].handlers.open_poll(creator, asked)
    await until(lambda: screen.entries("poll"))
    poll_id = screen.entries("poll")[0]["poll"]["id"]
    await nodes[1].handlers.vote(viewer, Vote(stream_id=stream.id, poll_id=poll_id, choice=1))
    await until(lambda: screen.bodies("room:poll"))
    assert screen.bodies("room:poll") == [{"stream_id": stream.id, "poll_id": poll_id, "votes": [0, 1]}]
    await nodes[0].handlers.close_poll(creator, ClosePoll(stream_id=stream.id, poll_id=poll_id))
    await until(lambda: len(screen.entries("poll")) == 2)
    assert [entry["poll"]["votes"] for entry in screen.entries("poll")] == [[0, 0], [0, 1]]


async def test_a_held_message_goes_over_the_desk_to_every_screen(
    nodes: list[FeatureNode], stage: Stage, stream: StreamSnapshot, cleo: User
) -> None:
    ada = await stage.person("Ada")
    creator, desk = await nodes[0].enter(stream.id, cleo, desk=True)
    _, author = await nodes[1].enter(stream.id, ada)
    _, other = await nodes[1].enter(stream.id, None)
    for text in ("one", "two"):
        message = Message(offset=0, stream_id=stream.id, id=f"message-{text}", at=1, user=ada, text=text, me=True)
        await nodes[1].held.add(cleo.id, message, [])
    await until(lambda: len(desk.bodies("mod:held")) == 2)
    first, second = (body["held"]["id"] for body in desk.bodies("mod:held"))
    await nodes[0].handlers.claim(creator, ClaimHeld(stream_id=stream.id, held_id=first))
    await nodes[0].handlers.approve(creator, Approve(stream_id=stream.id, held_id=first))
    await nodes[0].handlers.deny(creator, Deny(stream_id=stream.id, held_id=second, reason="no"))
    await until(lambda: len(author.bodies("chat:held")) == 4 and other.entries("message"))
    assert [body["status"] for body in author.bodies("chat:held")] == ["held", "held", "approved", "denied"]
    [said] = other.entries("message")
    assert (said["text"], said["id"], said["user"]["id"], said["me"]) == ("one", "message-one", ada.id, True)
    assert other.bodies("mod:held") == other.bodies("chat:held") == []


async def test_a_raid_arrives_in_a_room_that_nobody_is_in(
    nodes: list[FeatureNode], stage: Stage, stream: StreamSnapshot, cleo: User, redis: Redis
) -> None:
    dara = await stage.person("Dara", platform="creator", role="creator")
    there = await stage.stream(dara)
    creator, screen = await nodes[0].enter(stream.id, cleo)
    await nodes[0].handlers.raid(creator, StartRaid(stream_id=stream.id, channel_id=dara.id, seconds=5))
    await until(lambda: screen.entries("raid"))
    await redis.hset(f"room:{{{stream.id}}}:raid", "departs_at", "1")
    await nodes[1].handlers.raids.look(stream.id)
    await until(lambda: len(screen.entries("raid")) == 2)
    assert screen.entries("raid")[1]["raid"]["spread_ms"] == 3000
    [arrived] = [msgspec.json.decode(line.entry) for line in await nodes[1].log.tail(there, 10)]
    assert (arrived["raid"]["state"], arrived["raid"]["channel_id"]) == ("arrived", cleo.id)


async def test_reactions_reach_everybody(nodes: list[FeatureNode], stage: Stage, stream: StreamSnapshot) -> None:
    ada = await stage.person("Ada")
    (viewer, _), (_, screen) = await nodes[0].enter(stream.id, ada), await nodes[1].enter(stream.id, None)
    await nodes[0].handlers.react(viewer, React(stream_id=stream.id, reaction="fire"))
    await until(lambda: screen.bodies("room:reactions"))
    assert screen.bodies("room:reactions") == [{"stream_id": stream.id, "counts": {"fire": 1}}]


COMMANDS: list[tuple[str, type[Command], dict[str, Any]]] = [
    ("claim", ClaimHeld, {"held_id": "held-1"}),
    ("approve", Approve, {"held_id": "held-1"}),
    ("deny", Deny, {"held_id": "held-1"}),
    ("open_poll", OpenPoll, {"question": "Tea?", "choices": ["yes", "no"]}),
    ("close_poll", ClosePoll, {"poll_id": "poll-1"}),
    ("raid", StartRaid, {"channel_id": "channel-1"}),
]
TAKEN_PART: list[tuple[str, type[Command], dict[str, Any]]] = [
    ("vote", Vote, {"poll_id": "poll-1", "choice": 0}),
    ("react", React, {"reaction": "fire"}),
]


async def refusal(handlers: FeatureHandlers, name: str, who: Connection, body: Command) -> type[FootlightError]:
    with pytest.raises(FootlightError) as refused:
        await getattr(handlers, name)(who, body)
    return refused.type


async def test_who_is_not_here_not_known_or_no_moderator_is_refused(
    nodes: list[FeatureNode], stage: Stage, stream: StreamSnapshot
) -> None:
    handlers = nodes[0].handlers
    viewer, _ = await nodes[0].enter(stream.id, await stage.person("Ada"))
    nobody, _ = await nodes[0].enter(stream.id, None)
    for name, kind, values in [*COMMANDS, *TAKEN_PART]:
        body = kind(stream_id=stream.id, **values)
        assert await refusal(handlers, name, nobody, body) is Unauthenticated
        assert await refusal(handlers, name, viewer, kind(stream_id="stream-other", **values)) is NotInRoom
    for name, kind, values in COMMANDS:
        assert await refusal(handlers, name, viewer, kind(stream_id=stream.id, **values)) is NotAllowed


async def test_a_moderator_who_is_timed_out_decides_nothing(
    nodes: list[FeatureNode], stage: Stage, stream: StreamSnapshot, cleo: User
) -> None:
    max_ = await moderator(stage, cleo, "Max")
    who, screen = await nodes[0].enter(stream.id, max_)
    await stage.moderation.act(cleo, cleo.id, Timeout(stream_id=stream.id, user_id=max_.id, seconds=60))
    await nodes[0].projection.catch_up(stream.id, cleo.id)
    await until(lambda: screen.bodies("room:you"))
    for name, kind, values in COMMANDS:
        assert await refusal(nodes[0].handlers, name, who, kind(stream_id=stream.id, **values)) is NotAllowed


async def test_a_raid_needs_somewhere_to_go(nodes: list[FeatureNode], stream: StreamSnapshot, cleo: User) -> None:
    creator, _ = await nodes[0].enter(stream.id, cleo)
    for channel_id in (None, cleo.id, "channel-1"):
        body = StartRaid(stream_id=stream.id, channel_id=channel_id)
        assert await refusal(nodes[0].handlers, "raid", creator, body) is RaidTarget
