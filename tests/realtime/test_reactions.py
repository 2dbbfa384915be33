"""Reactions: counts of the room, told slowly, and a bound for each user."""

import asyncio
from collections import Counter

import msgspec
import pytest

from infra.settings import RedisSettings
from infra.stores.redis import Redis
from realtime.entries import User
from realtime.errors import ChatBanned
from realtime.moderation.errors import ReactionsTooFast
from realtime.room.features import feature_functions
from realtime.room.log_redis import RedisRoomLog, room_functions
from realtime.room.reactions import MOST_A_SECOND, Reactions
from realtime.room.rules import Change, Patch, Sanction
from tests.realtime.features import Heard, SendsTwice, listening, together

ROOM = "stream-1"
SELDOM, ALWAYS = 3600.0, 0.0  # seconds between two tellings


def node(redis: Redis, *, told_every_seconds: float = SELDOM) -> Reactions:
    known = RedisRoomLog(room_functions(redis)).known
    return Reactions(feature_functions(redis), known, told_every_seconds=told_every_seconds)


async def told(heard: Heard) -> list[dict[str, int]]:
    bodies = [msgspec.json.decode(text) for text in await heard.all("r")]
    assert all(body["stream_id"] == ROOM for body in bodies)
    return [body["counts"] for body in bodies]


async def test_all_reactions_are_told_and_seldom(redis: Redis, redis_settings: RedisSettings) -> None:
    slow, quick = node(redis), node(redis, told_every_seconds=ALWAYS)
    async with listening(redis, redis_settings, ROOM) as heard:
        for number in range(60):
            await slow.react(ROOM, f"user-{number}", ("heart", "fire", "sad")[number % 3])
        assert await told(heard) == [{"heart": 1}]
        assert await slow.look(ROOM) is not None  # there is more, later
        await asyncio.gather(quick.look(ROOM), quick.look(ROOM))
        assert await told(heard) == [{"heart": 1}, {"heart": 19, "fire": 20, "sad": 20}]
        assert await slow.look(ROOM) is None


async def test_what_is_told_adds_up_to_what_was_taken(redis: Redis, redis_settings: RedisSettings) -> None:
    nodes = [node(redis, told_every_seconds=ALWAYS), node(redis, told_every_seconds=ALWAYS)]
    kinds = ("heart", "laugh", "wow", "clap", "fire", "sad")
    async with listening(redis, redis_settings, ROOM) as heard:
        await asyncio.gather(*(nodes[n % 2].react(ROOM, f"user-{n}", kinds[n % 6]) for n in range(120)))
        sums: Counter[str] = Counter()
        for counts in await told(heard):
            sums.update(counts)
    assert sums == dict.fromkeys(kinds, 20)


async def test_the_room_is_told_by_the_node_that_counted(redis: Redis, redis_settings: RedisSettings) -> None:
    reactions = node(redis, told_every_seconds=0.3)
    running = asyncio.create_task(reactions.run(list))
    try:
        async with listening(redis, redis_settings, ROOM) as heard:
            for user in ("ada", "ben", "cid"):
                await reactions.react(ROOM, user, "wow")
            while sum(counts["wow"] for counts in await told(heard)) < 3:  # noqa: ASYNC110  # asking is how one hears all
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_two_tabs_on_two_nodes_do_not_help(redis: Redis, redis_settings: RedisSettings) -> None:
    nodes = [node(redis, told_every_seconds=ALWAYS), node(redis, told_every_seconds=ALWAYS)]
    async with listening(redis, redis_settings, ROOM) as heard:
        answers = await together(*(nodes[n % 2].react(ROOM, "ada", "clap") for n in range(20)))
        refused = [answer for answer in answers if isinstance(answer, ReactionsTooFast)]
        taken = sum(counts["clap"] for counts in await told(heard))
    assert taken == answers.count(None) == 20 - len(refused)
    assert taken >= MOST_A_SECOND
    assert all(0 < (answer.retry_after_ms or 0) <= 1000 for answer in refused)


async def test_the_sixth_in_a_second_is_refused(redis: Redis) -> None:
    reactions = node(redis)
    await reactions.react(ROOM, "ada", "clap")
    window = f"room:{{{ROOM}}}:reacted:ada"
    later = 10**15  # these do not grow old during the test
    await redis.zadd(window, {f"token-{number}": later for number in range(MOST_A_SECOND)})
    with pytest.raises(ReactionsTooFast):
        await reactions.react(ROOM, "ada", "clap")
    await reactions.react(ROOM, "ben", "clap")


async def test_a_reaction_whose_answer_was_lost_counts_once(redis: Redis, redis_settings: RedisSettings) -> None:
    known = RedisRoomLog(room_functions(redis)).known
    await known(ROOM)
    twice = Reactions(SendsTwice(redis), known, told_every_seconds=ALWAYS)
    async with listening(redis, redis_settings, ROOM) as heard:
        await twice.react(ROOM, "ada", "sad")
        assert await told(heard) == [{"sad": 1}]


async def test_who_is_banned_does_not_react(redis: Redis) -> None:
    log = RedisRoomLog(room_functions(redis))
    await log.known(ROOM)
    ada = User(id="ada", name="Ada", role="viewer")
    patch = Patch(sanction=(ada.id, Sanction(until=None)))
    await log.control(ROOM, Change(id="ban", revision=1, stream_id=None, patch=patch))
    with pytest.raises(ChatBanned):
        await node(redis).react(ROOM, ada.id, "heart")
