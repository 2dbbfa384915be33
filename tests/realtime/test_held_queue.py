"""Held messages: one moderator at a time, one decision, and an end for each, whichever node dies."""

import asyncio
from typing import cast

import msgspec
import pytest

from accounts.model import Identity
from infra.clock import new_id, system_clock
from infra.errors import Unavailable
from infra.settings import RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Functions, Redis
from realtime.entries import Message, User
from realtime.errors import ChatBanned, ChatTooFast
from realtime.moderation.bodies import Acted, Finding
from realtime.moderation.deeds import Deed
from realtime.moderation.errors import ChannelNotFound, HeldClaimed, HeldGone, NotAllowed
from realtime.moderation.held import DEFAULT_LIMITS, HeldQueue, Limits
from realtime.moderation.live import HeldInChannels
from tests.realtime.features import Dies, Scenery, listening, together
from tests.realtime.moderation.stage import Stage

ADA = User(id="ada", name="Ada", role="viewer")
MIRA = User(id="mira", name="Mira", role="moderator")
NOOR = User(id="noor", name="Noor", role="moderator")
FINDING = Finding(code="term", detail="spam", start=0, end=4)


@pytest.fixture
async def scenery(redis: Redis, db: Postgres) -> Scenery:
    return await Scenery.built(redis, Stage(db))


def node(scenery: Scenery, limits: Limits = DEFAULT_LIMITS) -> HeldQueue:
    return HeldQueue(scenery.functions(), scenery.log.known, scenery.say, scenery.record, limits)


def identity_of(user: User) -> Identity:
    return Identity(
        user_id=user.id, display_name=user.name, role="free", subscription_tier="free", session_id="s1",
        expires_at=system_clock(),
    )  # fmt: skip


async def hold(queue: HeldQueue, scenery: Scenery, text: str = "spam?", user: User = ADA) -> str:
    """Hold a message; its id in the queue."""
    message = Message(offset=0, stream_id=scenery.stream_id, id=new_id(), at=1, user=user, text=text)
    await queue.add(scenery.creator.id, message, [FINDING])
    return (await queue.list(scenery.stream_id))[-1].id


async def test_a_held_message_waits_for_every_node_and_its_author_is_told(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    one, two = node(scenery), node(scenery)
    async with listening(redis, redis_settings, scenery.stream_id) as heard:
        await hold(one, scenery)
        [held] = await two.list(scenery.stream_id)
        assert (held.user, held.text, held.findings, held.claimed_by) == (ADA, "spam?", [FINDING], None)
        assert held.expires_at == held.at + 300_000
        [desk] = await heard.bodies("d", "mod:held")
        assert (desk["change"], desk["held"]["id"]) == ("added", held.id)
        [author] = await heard.bodies("u", "ada chat:held")
        assert (author["status"], author["stream_id"]) == ("held", scenery.stream_id)
    assert await scenery.said() == []


async def test_the_same_message_is_held_once_and_not_again_after_it_was_decided(scenery: Scenery) -> None:
    queue = node(scenery)
    message = Message(offset=0, stream_id=scenery.stream_id, id="message-1", at=1, user=ADA, text="spam?")
    for _ in range(2):
        await queue.add(scenery.creator.id, message, [])
    [held] = await queue.list(scenery.stream_id)
    await queue.deny(scenery.stream_id, MIRA, held.id)
    await queue.add(scenery.creator.id, message, [])
    assert await queue.list(scenery.stream_id) == []


async def test_an_approved_message_is_said_with_its_author_told_and_the_decision_recorded(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    queue = node(scenery)
    held_id = await hold(queue, scenery)
    async with listening(redis, redis_settings, scenery.stream_id) as heard:
        acted = await queue.approve(scenery.stream_id, MIRA, held_id)
        assert [body["status"] for body in await heard.bodies("u", "ada chat:held")] == ["approved"]
        assert [body["change"] for body in await heard.bodies("d", "mod:held")] == ["approved"]
    assert await scenery.said() == ["spam?"]
    [row] = await scenery.stage.rows("SELECT * FROM moderation_log")
    assert (str(row["id"]), row["action"], row["actor_id"], row["target_id"]) == (
        acted.action_id, "approve", "mira", "ada",
    )  # fmt: skip
    assert '"text":"spam?"' in row["snapshot"].replace('": "', '":"')
    assert scenery.entries() == []


async def test_a_denied_message_is_never_said_and_its_author_learns_why(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    queue = node(scenery)
    held_id = await hold(queue, scenery)
    async with listening(redis, redis_settings, scenery.stream_id) as heard:
        await queue.deny(scenery.stream_id, MIRA, held_id, 'no "spam"')
        [author] = await heard.bodies("u", "ada chat:held")
    assert (author["status"], author["reason"]) == ("denied", 'no "spam"')
    assert (await scenery.said(), await scenery.actions()) == ([], ["deny"])
    with pytest.raises(HeldGone):
        await queue.approve(scenery.stream_id, NOOR, held_id)


async def test_a_claimed_message_is_one_moderators_until_they_give_it_back(scenery: Scenery) -> None:
    one, two, room = node(scenery), node(scenery), scenery.stream_id
    held_id = await hold(one, scenery)
    claimed = await one.claim(room, MIRA, held_id)
    assert claimed.claimed_by == MIRA
    assert (await one.claim(room, MIRA, held_id)).claimed_by == MIRA
    for attempt in (two.claim, two.approve, two.deny):
        with pytest.raises(HeldClaimed) as refused:
            await attempt(room, NOOR, held_id)
        assert refused.value.details["by"] == "Mira"
        assert 0 < (refused.value.retry_after_ms or 0) <= 60_000
    assert (await one.claim(room, MIRA, held_id, release=True)).claimed_by is None
    await two.approve(room, NOOR, held_id)
    assert await scenery.said() == ["spam?"]


async def test_a_claim_that_ran_out_binds_nobody(scenery: Scenery) -> None:
    queue = node(scenery, Limits(claim_seconds=0.001))
    held_id = await hold(queue, scenery)
    await queue.claim(scenery.stream_id, MIRA, held_id)
    await asyncio.sleep(0.01)
    assert (await queue.list(scenery.stream_id))[0].claimed_by is None
    await queue.deny(scenery.stream_id, NOOR, held_id)


async def test_of_many_who_approve_at_once_one_does_and_the_message_is_said_once(scenery: Scenery) -> None:
    nodes = [node(scenery) for _ in range(2)]
    held_id = await hold(nodes[0], scenery)
    moderators = [User(id=f"mod-{number}", name=f"M{number}", role="moderator") for number in range(10)]
    answers = await together(
        *(nodes[number % 2].approve(scenery.stream_id, who, held_id) for number, who in enumerate(moderators))
    )
    assert sum(isinstance(answer, Acted) for answer in answers) == 1
    assert sum(isinstance(answer, HeldGone) for answer in answers) == 9
    assert (await scenery.said(), await scenery.actions()) == (["spam?"], ["approve"])


async def test_of_approve_and_deny_at_once_one_holds(scenery: Scenery) -> None:
    one, two, room = node(scenery), node(scenery), scenery.stream_id
    for _ in range(5):
        held_id = await hold(one, scenery)
        said, actions = await scenery.said(), await scenery.actions()
        approved, denied = await together(one.approve(room, MIRA, held_id), two.deny(room, NOOR, held_id))
        assert isinstance(approved, Acted) != isinstance(denied, Acted)
        was_approved = isinstance(approved, Acted)
        assert len(await scenery.said()) == len(said) + was_approved
        assert await scenery.actions() == [*actions, "approve" if was_approved else "deny"]


@pytest.mark.parametrize("step", ["held_decide", "say", "record"])
async def test_a_decision_is_finished_when_its_node_dies_in_between(scenery: Scenery, step: str) -> None:
    dying = Dies(scenery.functions(), after="held_decide" if step == "held_decide" else "")

    async def say(stream_id: str, message: Message) -> object:
        if dying.dead:
            raise Unavailable
        dying.dead = step == "say"
        return await scenery.say(stream_id, message)

    async def record(deed: Deed) -> None:
        if dying.dead:
            raise Unavailable
        dying.dead = step == "record"
        await scenery.record(deed)

    dead = HeldQueue(cast("Functions", dying), scenery.log.known, say, record)
    alive = node(scenery)
    held_id = await hold(alive, scenery)
    with pytest.raises(Unavailable):
        await dead.approve(scenery.stream_id, MIRA, held_id)
    assert await alive.list(scenery.stream_id) == []  # decided: nobody else can
    with pytest.raises(HeldGone):
        await alive.deny(scenery.stream_id, NOOR, held_id)
    assert (await scenery.said(), await scenery.actions()) == (["spam?"], ["approve"])
    await alive.expire(scenery.stream_id)
    assert (await scenery.said(), await scenery.actions()) == (["spam?"], ["approve"])


async def test_the_sweep_finishes_what_nobody_asks_about_again(scenery: Scenery, redis: Redis) -> None:
    dying = Dies(scenery.functions(), after="held_decide")
    dead = HeldQueue(cast("Functions", dying), scenery.log.known, scenery.say, dying.record)
    alive = node(scenery)
    held_id = await hold(alive, scenery)
    with pytest.raises(Unavailable):
        await dead.deny(scenery.stream_id, MIRA, held_id, "no")
    await alive.expire(scenery.stream_id)
    assert await scenery.actions() == []  # its node may still be at it
    name = f"room:{{{scenery.stream_id}}}:held"
    [kept] = await redis.hvals(name)
    item = msgspec.json.decode(kept)
    await redis.hset(name, held_id, msgspec.json.encode({**item, "tried_at": "1"}))  # long ago
    await together(alive.expire(scenery.stream_id), node(scenery).expire(scenery.stream_id))
    assert (await scenery.said(), await scenery.actions()) == ([], ["deny"])
    assert await redis.hlen(name) == 0


async def test_a_message_expires_once_however_many_nodes_look(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    nodes = [node(scenery, Limits(held_seconds=0.001)) for _ in range(3)]
    message = Message(offset=0, stream_id=scenery.stream_id, id="message-1", at=1, user=ADA, text="spam?")
    async with listening(redis, redis_settings, scenery.stream_id) as heard:
        await nodes[0].add(scenery.creator.id, message, [])
        await asyncio.sleep(0.01)
        assert await nodes[0].list(scenery.stream_id) == []
        await asyncio.gather(*(one.expire(scenery.stream_id) for one in nodes))
        assert [body["status"] for body in await heard.bodies("u", "ada chat:held")] == ["held", "expired"]
        changes = await heard.bodies("d", "mod:held")
        assert [body["change"] for body in changes] == ["added", "expired"]
    with pytest.raises(HeldGone):
        await nodes[0].approve(scenery.stream_id, MIRA, changes[0]["held"]["id"])


async def test_the_oldest_makes_room_in_a_full_queue(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    queue = node(scenery, Limits(messages=3))
    async with listening(redis, redis_settings, scenery.stream_id) as heard:
        for number in range(5):
            await hold(queue, scenery, str(number))
        expired = [body["held"] for body in await heard.bodies("d", "mod:held") if body["change"] == "expired"]
    assert [held["text"] for held in expired] == ["0", "1"]
    assert [held.text for held in await queue.list(scenery.stream_id)] == ["2", "3", "4"]


async def test_one_author_cannot_push_out_everybody_else(scenery: Scenery) -> None:
    queue = node(scenery, Limits(messages=15))
    await hold(queue, scenery, "mine", NOOR)
    for number in range(10):
        held_id = await hold(queue, scenery, str(number))
    with pytest.raises(ChatTooFast):
        await hold(queue, scenery, "one more")
    await queue.deny(scenery.stream_id, MIRA, held_id)
    await hold(queue, scenery, "one more")
    assert (await queue.list(scenery.stream_id))[0].text == "mine"


async def test_held_messages_of_a_banned_author_are_denied(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    queue = node(scenery)
    first = await hold(queue, scenery)
    await hold(queue, scenery)
    async with listening(redis, redis_settings, scenery.stream_id) as heard:
        await scenery.ban(ADA)
        with pytest.raises(HeldGone):
            await queue.approve(scenery.stream_id, MIRA, first)
        await queue.expire(scenery.stream_id)
        assert [body["status"] for body in await heard.bodies("u", "ada chat:held")] == ["denied", "denied"]
    assert (await queue.list(scenery.stream_id), await scenery.said()) == ([], [])
    with pytest.raises(ChatBanned):
        await hold(queue, scenery)


async def test_a_ban_between_decision_and_log_denies_the_message(scenery: Scenery) -> None:
    queue = node(scenery)
    held_id = await hold(queue, scenery)

    async def say(stream_id: str, message: Message) -> object:
        await scenery.ban(message.user)
        return await scenery.say(stream_id, message)

    with pytest.raises(HeldGone):
        await HeldQueue(scenery.functions(), scenery.log.known, say, scenery.record).approve(
            scenery.stream_id, MIRA, held_id
        )
    assert (await scenery.said(), await scenery.actions(), await queue.list(scenery.stream_id)) == ([], [], [])


async def test_moderators_are_given_the_queue_of_their_channel_and_nobody_else(scenery: Scenery) -> None:
    queue, stage = node(scenery), scenery.stage
    await hold(queue, scenery)
    held = HeldInChannels(stage.db, queue)
    ada = await stage.person("Ada")
    assert [one.text for one in await held.held_in(scenery.creator.id, identity_of(scenery.creator))] == ["spam?"]
    with pytest.raises(NotAllowed):
        await held.held_in(scenery.creator.id, identity_of(ada))
    assert await held.held_in(ada.id, identity_of(ada)) == []  # one's own channel, where nothing is live
    with pytest.raises(ChannelNotFound):
        await held.held_in(new_id(), identity_of(ada))
