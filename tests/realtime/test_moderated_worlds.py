"""Random histories of a moderated room on two nodes: *snapshot + entries = fresh snapshot*, what was removed is in no
answer of anybody, and what was not removed is in all."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest

from infra.bus.port import Bus
from infra.clock import new_id
from infra.errors import FootlightError
from infra.settings import MongoSettings, RedisSettings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.archive.reader import MAX_LIMIT, PublicArchive
from realtime.client import RoomClient
from realtime.entries import User
from realtime.fold import Seen
from realtime.room.log import KEEP_ENTRIES, Line, Position
from tests.realtime.archives import archiver_of
from tests.realtime.moderated import Channel, moderated

STEPS = 60
DELAY_SECONDS = 4
LATE_SECONDS = 2.0  # a node may hear of a removal so much later than who asked for it
REMOVING = ("delete", "timeout", "ban", "clear")


@pytest.fixture
async def channel(db: Postgres, redis: Redis, redis_settings: RedisSettings, bus: Bus) -> AsyncIterator[Channel]:
    async with moderated(db, redis, redis_settings, bus) as one:
        yield one


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with open_mongo(replace(mongo_settings, database=f"world-{new_id()}")) as store:
        yield store


@dataclass
class Said:
    user: User
    id: str
    text: str
    sent_at: float
    removed_at: float | None = None  # when a removal of it was acknowledged for the first time


@dataclass
class World:
    """People at their sockets, and what they did."""

    channel: Channel
    dice: random.Random
    delayed: bool
    users: dict[str, User] = field(default_factory=dict)
    clients: dict[str, RoomClient] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    acted: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)  # everything that viewers were ever sent
    acknowledged: int = 0

    async def enter(self, stack: AsyncExitStack, name: str, user: User | None, node: int) -> None:
        client = await stack.enter_async_context(self.channel.client(user, node))
        self.clients[name] = client
        if user is not None:
            self.users[name] = user
        if user is None or user.role == "viewer":
            client.on_frame = self.frames.append

    def viewer(self) -> str:
        return self.dice.choice(["ada", "bob", "eve"])

    def moderator(self) -> RoomClient:
        return self.clients[self.dice.choice(["max", "cleo"])]

    async def step(self) -> None:
        weights = {
            self.say: 22, self.me: 3, self.reply: 4, self.delete: 7, self.time_out: 2, self.ban: 3, self.unban: 4,
            self.clear: 1, self.undo: 5, self.settings: 3, self.pin: 3, self.announce: 2, self.again: 4, self.drop: 4,
            self.cut: 0 if self.delayed else 2, self.wait: 6,
        }  # fmt: skip
        do = self.dice.choices(list(weights), list(weights.values()))[0]
        try:
            await do()
        except FootlightError:
            return  # in these worlds refusals are part of life
        self.acknowledged += 1

    async def _speak(self, name: str, send: Callable[[str, str], Awaitable[Any]]) -> None:
        text, message_id = f"line-{len(self.said):03d}-", new_id()
        # Whether it is acknowledged or not: it may have been said.
        self.said.append(Said(self.users[name], message_id, text, asyncio.get_running_loop().time()))
        await send(text, message_id)

    async def say(self) -> None:
        name = self.dice.choice(["ada", "bob", "eve", "max"])
        client = self.clients[name]
        await self._speak(
            name, lambda text, message_id: self.channel.act(client, "chat:send", id=message_id, text=text)
        )

    async def me(self) -> None:
        name = self.viewer()
        client = self.clients[name]
        await self._speak(
            name, lambda text, message_id: self.channel.act(client, "chat:command", id=message_id, line=f"/me {text}")
        )

    async def reply(self) -> None:
        name, to = self.viewer(), self.dice.choice(self.said)
        client, whom = self.clients[name], {"user_id": to.user.id, "id": to.id}
        await self._speak(
            name,
            lambda text, message_id: self.channel.act(client, "chat:send", id=message_id, text=text, reply_to=whom),
        )

    async def _remove(self, covers: Callable[[Said], bool], event: str, **body: Any) -> None:
        covered = [one for one in self.said if covers(one)]
        answer = await self.channel.act(self.moderator(), event, **body)
        self.acted.append(answer["action_id"])
        for one in covered:
            one.removed_at = one.removed_at or asyncio.get_running_loop().time()

    async def delete(self) -> None:
        one = self.dice.choice(self.said[-10:])
        await self._remove(lambda said: said is one, "mod:delete", user_id=one.user.id, message_id=one.id)

    async def time_out(self) -> None:
        user = self.users[self.viewer()]
        await self._remove(lambda said: said.user.id == user.id, "mod:timeout", user_id=user.id, seconds=1)

    async def ban(self) -> None:
        user = self.users[self.viewer()]
        await self._remove(lambda said: said.user.id == user.id, "mod:ban", user_id=user.id)

    async def clear(self) -> None:
        await self._remove(lambda said: True, "mod:clear")

    async def unban(self) -> None:
        user = self.users[self.viewer()]
        self.acted.append((await self.channel.act(self.moderator(), "mod:unban", user_id=user.id))["action_id"])

    async def undo(self) -> None:
        if self.acted:
            await self.channel.act(self.clients["cleo"], "mod:undo", action_id=self.acted.pop())

    async def settings(self) -> None:
        changes: list[dict[str, Any]] = [{"unique_chat": True}, {"unique_chat": False}, {"slow_seconds": 0}]
        if not self.delayed:
            changes += [{"delay_seconds": 2}, {"delay_seconds": 0}]
        answer = await self.channel.act(self.moderator(), "mod:settings", **self.dice.choice(changes))
        self.acted.append(answer["action_id"])

    async def pin(self) -> None:
        one = self.dice.choice(self.said[-10:])
        answer = await self.channel.act(self.moderator(), "mod:pin", user_id=one.user.id, message_id=one.id)
        self.acted.append(answer["action_id"])

    async def announce(self) -> None:
        name = self.dice.choice(["max", "cleo"])
        text, sent_at = f"news-{len(self.said):03d}-", asyncio.get_running_loop().time()
        answer = await self.channel.act(self.clients[name], "mod:announce", text=text)
        self.said.append(Said(self.users[name], answer["action_id"], text, sent_at))

    async def again(self) -> None:
        await self.dice.choice(list(self.clients.values())).join(self.channel.stream_id)

    async def drop(self) -> None:
        await self.dice.choice(list(self.clients.values())).drop()

    async def cut(self) -> None:
        owner = self.channel.redis.get_node_from_key(f"room:{{{self.channel.stream_id}}}:meta")
        assert owner is not None
        await owner.execute_command("CLIENT", "KILL", "TYPE", "pubsub")

    async def wait(self) -> None:
        await asyncio.sleep(self.dice.random() * 0.2)

    async def last_word(self) -> None:
        """Somebody comes, and says what nobody removes."""
        async with self.channel.client(self.channel.cleo, 1) as cleo:
            name = await self.channel.say(cleo, "the last word")
        self.said.append(Said(self.channel.cleo, name, "the last word", asyncio.get_running_loop().time()))

    async def settle(self) -> Position:
        newest = (await self.channel.log.since(self.channel.stream_id, None)).position
        for client in self.clients.values():
            await client.until(lambda client=client: client.views[self.channel.stream_id].offset == newest.offset)  # type: ignore[misc]  # bound on purpose
        return newest


@pytest.mark.parametrize(("seed", "delayed"), [(1, False), (2, False), (3, False), (4, False), (5, True)])
async def test_every_view_is_what_a_fresh_reader_sees_and_nothing_removed_is_anywhere(
    channel: Channel, mongo: Mongo, seed: int, delayed: bool
) -> None:
    world = World(channel, random.Random(seed), delayed)  # noqa: S311  # a repeatable history
    async with AsyncExitStack() as stack:
        await _gather(world, stack)
        for number in range(STEPS):
            await world.step()
            if number in (20, 40):
                await world.enter(stack, f"late-{number}", None, number // 20 % 2)
        await world.last_word()
        newest = await world.settle()
        views = {name: client.views[channel.stream_id].seen for name, client in world.clients.items()}
        fresh = [await _fresh(channel, world, stack, node) for node in (0, 1)]
        answers = await _answers(channel, world, newest)
    answers["archive"] = await _archived(channel, mongo, fresh[0])
    stands, gone = _by_marks(await channel.raw(), {one.text for one in world.said})
    _agree(views, fresh, stands)
    for text in gone:
        assert not [name for name, answer in answers.items() if text.encode() in answer], text
    for text in stands:
        assert text.encode() in answers["log"]
    assert gone
    assert stands
    assert world.acknowledged > STEPS / 2
    if delayed:
        _never_shown(world, gone)


async def _gather(world: World, stack: AsyncExitStack) -> None:
    """Everybody comes, on one node or the other, and says hello."""
    channel = world.channel
    await world.enter(stack, "cleo", channel.cleo, 0)
    await world.enter(stack, "max", channel.max, 1)
    for node, name in enumerate(("ada", "bob", "eve")):
        await world.enter(stack, name, await channel.stage.person(name.title()), node % 2)
    if world.delayed:
        await channel.act(world.clients["cleo"], "mod:settings", delay_seconds=DELAY_SECONDS)
    await world.say()


async def _fresh(channel: Channel, world: World, stack: AsyncExitStack, node: int) -> Seen:
    """What somebody who comes just now sees."""
    client = await stack.enter_async_context(channel.client(None, node))
    return client.views[channel.stream_id].seen


async def _answers(channel: Channel, world: World, newest: Position) -> dict[str, bytes]:
    """Everything anybody could be told of the room now, as bytes."""
    stream_id, encode = channel.stream_id, msgspec.json.encode
    answers = {
        "log": _entries((await channel.log.since(stream_id, Position(newest.epoch, 0))).lines),
        "tail": _entries(await channel.log.tail(stream_id, KEEP_ENTRIES)),
    }
    for number, node in enumerate(channel.nodes):
        room = node.realtime.room(stream_id)
        assert room is not None
        found = room.lines.answer(Position(newest.epoch, newest.offset - 10)), room.lines.answer(None)
        answers[f"memory {number}"] = b"".join(_entries(one.lines) for one in found if one is not None)
    for offset in range(0, newest.offset, 7):
        client = world.clients[world.viewer()]
        body = {"stream_id": stream_id, "epoch": newest.epoch, "offset": offset}
        answers[f"recovered from {offset}"] = encode(await client.ask("room:join", body))
    return answers


async def _archived(channel: Channel, mongo: Mongo, fresh: Seen) -> bytes:
    """The archive's public view, which says the same."""
    await archiver_of(channel.redis, mongo).round()
    lines = await PublicArchive(mongo).entries(channel.stream_id, limit=MAX_LIMIT)
    seen = Seen()
    seen.take(line.entry for line in lines)
    assert seen.since(fresh.first) == fresh.lines
    return msgspec.json.encode([line.entry for line in lines])


def _entries(lines: list[Line]) -> bytes:
    return b"\n".join(line.entry for line in lines)


def _by_marks(raw: list[tuple[int, str, dict[str, Any]]], texts: set[str]) -> tuple[set[str], set[str]]:
    """What stands and what is gone, judged by the marks of the whole log alone."""
    shown: dict[str, str] = {}
    for _, mark, entry in raw:
        if mark == "!*":
            shown.clear()
        elif mark.startswith("!u "):
            shown = {said: text for said, text in shown.items() if said.split()[0] != mark[3:]}
        elif mark.startswith("!m "):
            shown.pop(mark[3:], None)
        elif entry["kind"] in ("message", "announcement", "restored"):
            shown[mark.removeprefix("+")] = entry.get("message", entry)["text"]
    return set(shown.values()), texts - set(shown.values())


def _agree(views: dict[str, Seen], fresh: list[Seen], stands: set[str]) -> None:
    assert fresh[0] == fresh[1]
    for name, seen in views.items():
        assert seen.since(fresh[0].first) == fresh[0].lines, name
        assert (seen.settings, seen.pin) == (fresh[0].settings, fresh[0].pin), name
    said = {line["text"] for line in fresh[0].lines.values()}
    assert said == stands


def _never_shown(world: World, gone: set[str]) -> None:
    """With moderator-first delay no viewer ever had what was removed in time."""
    in_time = [
        one
        for one in world.said
        if one.text in gone and one.removed_at and one.removed_at < one.sent_at + DELAY_SECONDS - LATE_SECONDS
    ]
    assert in_time
    heard = "\n".join(world.frames)
    assert [one.text for one in in_time if one.text in heard] == []
