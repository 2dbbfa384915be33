"""Polls: one open, one vote an account, a tally that is told slowly and ends once."""

import asyncio
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.clock import new_id
from infra.errors import Invalid, Unavailable
from infra.settings import RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Functions, Redis
from realtime.entries import Poll, User
from realtime.errors import ChatBanned, TextInvalid
from realtime.moderation.bodies import Acted, OpenPoll
from realtime.moderation.errors import PollClosed, PollOpen, PollVoted
from realtime.room.polls import Polls
from tests.realtime.features import Dies, Heard, Scenery, SendsTwice, listening, together
from tests.realtime.moderation.stage import Stage

MIRA = User(id="mira", name="Mira", role="moderator")
SELDOM, ALWAYS = 3600.0, 0.0  # seconds between two tellings


@pytest.fixture
async def scenery(redis: Redis, db: Postgres) -> Scenery:
    return await Scenery.built(redis, Stage(db))


def node(scenery: Scenery, *, told_every_seconds: float = SELDOM) -> Polls:
    return Polls(
        scenery.functions(), scenery.log.known, scenery.record, told_every_seconds=told_every_seconds
    )  # fmt: skip


def asking(scenery: Scenery, *choices: str, question: str = "Tea?", seconds: int = 60) -> OpenPoll:
    return OpenPoll(
        stream_id=scenery.stream_id, question=question, choices=list(choices or ("yes", "no")), seconds=seconds
    )  # fmt: skip


async def opened(polls: Polls, scenery: Scenery, *choices: str) -> Poll:
    await polls.open(scenery.creator.id, MIRA, asking(scenery, *choices))
    found = await polls.state(scenery.stream_id)
    assert found is not None
    return found


async def run_out(scenery: Scenery, redis: Redis) -> None:
    """Its time is over."""
    await redis.hset(f"room:{{{scenery.stream_id}}}:poll", "closes_at", "1")


async def told(heard: Heard) -> list[list[int]]:
    """The votes as the room was told them, one after the other."""
    return [[int(n) for n in text.split("[")[1].rstrip("]}").split(",")] for text in await heard.all("p")]


def states(scenery: Scenery) -> list[tuple[str, list[int]]]:
    return [(entry["poll"]["state"], entry["poll"]["votes"]) for entry in scenery.entries()]


async def test_a_poll_opens_is_voted_on_and_closes_on_every_node(scenery: Scenery) -> None:
    one, two, room = node(scenery), node(scenery), scenery.stream_id
    poll = await opened(one, scenery, "yes", "no", " perhaps ")
    assert (poll.question, poll.choices, poll.votes, poll.state) == (
        "Tea?",
        ["yes", "no", "perhaps"],
        [0, 0, 0],
        "open",
    )
    await two.vote(room, "ada", poll.id, 2)
    await one.vote(room, "ben", poll.id, 0)
    found = await two.state(room)
    assert found is not None
    assert found.votes == [1, 0, 1]
    await two.close(room, MIRA, poll.id)
    assert await one.state(room) is None
    assert states(scenery) == [("open", [0, 0, 0]), ("closed", [1, 0, 1])]
    assert await scenery.actions() == ["poll_open", "poll_close"]
    with pytest.raises(PollClosed):
        await one.vote(room, "cid", poll.id, 0)
    with pytest.raises(PollClosed):
        await one.close(room, scenery.creator, poll.id)


async def test_only_one_of_many_polls_opens_at_once(scenery: Scenery) -> None:
    nodes = [node(scenery), node(scenery)]
    answers = await together(*(nodes[n % 2].open(scenery.creator.id, MIRA, asking(scenery)) for n in range(10)))
    assert sum(isinstance(answer, Acted) for answer in answers) == 1
    assert sum(isinstance(answer, PollOpen) for answer in answers) == 9
    assert await scenery.actions() == ["poll_open"]


async def test_fifty_votes_of_one_account_count_once(scenery: Scenery) -> None:
    nodes = [node(scenery), node(scenery)]
    poll = await opened(nodes[0], scenery)
    answers = await together(*(nodes[n % 2].vote(scenery.stream_id, "ada", poll.id, n % 2) for n in range(50)))
    assert answers.count(None) == 1
    assert sum(isinstance(answer, PollVoted) for answer in answers) == 49
    found = await nodes[1].state(scenery.stream_id)
    assert found is not None
    assert sum(found.votes) == 1


async def test_a_vote_whose_answer_was_lost_is_the_same_vote(scenery: Scenery) -> None:
    polls = Polls(SendsTwice(scenery.redis), scenery.log.known, scenery.record)
    poll = await opened(polls, scenery)
    await polls.vote(scenery.stream_id, "ada", poll.id, 1)
    await polls.close(scenery.stream_id, MIRA, poll.id)
    assert states(scenery) == [("open", [0, 0]), ("closed", [0, 1])]


async def test_votes_are_told_at_most_once_in_the_interval_and_the_last_always(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    slow, quick = node(scenery), node(scenery, told_every_seconds=ALWAYS)
    poll = await opened(slow, scenery)
    async with listening(redis, redis_settings, scenery.stream_id) as heard:
        for number in range(20):
            await slow.vote(scenery.stream_id, f"user-{number}", poll.id, number % 2)
        assert await told(heard) == [[1, 0]]
        again = await slow.look(scenery.stream_id)
        assert again is not None  # there is something to tell as soon as the interval is over
        await asyncio.gather(quick.look(scenery.stream_id), quick.look(scenery.stream_id))
        assert await told(heard) == [[1, 0], [10, 10]]


async def test_votes_are_told_again_for_nodes_that_open_the_room_later(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    async with listening(redis, redis_settings, scenery.stream_id) as heard:
        polls = node(scenery, told_every_seconds=ALWAYS)
        poll = await opened(polls, scenery)
        await polls.vote(scenery.stream_id, new_id(), poll.id, 1)
        await polls.look(scenery.stream_id)
        assert await told(heard) == [[0, 1]]
        await redis.hset(f"room:{{{scenery.stream_id}}}:poll", "shown_at", "1")
        await polls.look(scenery.stream_id)
        assert await told(heard) == [[0, 1]] * 2


async def test_a_node_tells_what_it_counted_by_itself(
    scenery: Scenery, redis: Redis, redis_settings: RedisSettings
) -> None:
    polls = node(scenery, told_every_seconds=0.3)
    poll = await opened(polls, scenery)
    running = asyncio.create_task(polls.run(list))
    try:
        async with listening(redis, redis_settings, scenery.stream_id) as heard:
            for number in range(3):
                await polls.vote(scenery.stream_id, f"user-{number}", poll.id, 0)
            while [3, 0] not in await told(heard):  # noqa: ASYNC110  # asking is how one hears all
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_poll_ends_by_time_once_whichever_nodes_see_it(scenery: Scenery, redis: Redis) -> None:
    nodes = [node(scenery) for _ in range(4)]
    poll = await opened(nodes[0], scenery)
    await nodes[0].vote(scenery.stream_id, "ada", poll.id, 1)
    await run_out(scenery, redis)
    with pytest.raises(PollClosed):
        await nodes[1].vote(scenery.stream_id, "ben", poll.id, 1)
    await asyncio.gather(*(one.look(scenery.stream_id) for one in nodes))
    assert states(scenery) == [("open", [0, 0]), ("closed", [0, 1])]
    assert await nodes[0].look(scenery.stream_id) is None


@pytest.mark.parametrize("step", ["poll_open", "poll_close", "poll_look"])
async def test_what_a_dead_node_began_another_records(scenery: Scenery, step: str) -> None:
    alive, room = node(scenery), scenery.stream_id
    dying = Dies(scenery.functions(), after=step)
    dead = Polls(cast("Functions", dying), scenery.log.known, dying.record)
    if step == "poll_close":
        poll = await opened(alive, scenery)
        with pytest.raises(Unavailable):
            await dead.close(room, MIRA, poll.id)
    else:
        with pytest.raises(Unavailable):
            await dead.open(scenery.creator.id, MIRA, asking(scenery))
    await asyncio.gather(alive.look(room), node(scenery).look(room))
    expected = [("open", [0, 0]), ("closed", [0, 0])]
    assert states(scenery) == (expected if step == "poll_close" else expected[:1])


async def test_a_poll_that_was_recorded_by_a_node_that_died_then_is_not_recorded_again(scenery: Scenery) -> None:
    dying = Dies(scenery.functions(), after="poll_look")  # dies before it can say that it recorded
    dead = Polls(cast("Functions", dying), scenery.log.known, scenery.record)
    with pytest.raises(Unavailable):
        await dead.open(scenery.creator.id, MIRA, asking(scenery))
    assert states(scenery) == [("open", [0, 0])]
    await node(scenery).look(scenery.stream_id)
    assert states(scenery) == [("open", [0, 0])]


async def test_the_next_poll_waits_for_the_end_of_the_one_before_to_be_recorded(scenery: Scenery, redis: Redis) -> None:
    polls = node(scenery)
    await opened(polls, scenery)
    await run_out(scenery, redis)
    await opened(polls, scenery)
    assert [state for state, _ in states(scenery)] == ["open", "closed", "open"]


async def test_a_cancelled_poll_says_so(scenery: Scenery) -> None:
    polls = node(scenery)
    poll = await opened(polls, scenery)
    await polls.vote(scenery.stream_id, "ada", poll.id, 0)
    await polls.close(scenery.stream_id, MIRA, poll.id, cancel=True)
    assert states(scenery)[1:] == [("cancelled", [1, 0])]
    assert await scenery.actions() == ["poll_open", "poll_cancel"]


async def test_who_is_banned_does_not_vote_and_a_choice_must_be_there(scenery: Scenery) -> None:
    polls = node(scenery)
    poll = await opened(polls, scenery)
    await scenery.ban(User(id="ada", name="Ada", role="viewer"))
    with pytest.raises(ChatBanned):
        await polls.vote(scenery.stream_id, "ada", poll.id, 0)
    with pytest.raises(Invalid):
        await polls.vote(scenery.stream_id, "ben", poll.id, 2)
    with pytest.raises(PollClosed):
        await polls.vote(scenery.stream_id, "ben", new_id(), 0)


@pytest.mark.parametrize(
    ("question", "choices", "reason"),
    [(" ", ("a", "b"), "empty"), ("Tea?", ("a", "A "), "duplicates"), ("Tea?", ("a", "\u202eb"), "characters")],
)
async def test_a_poll_that_cannot_be_asked_is_refused(
    scenery: Scenery, question: str, choices: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(TextInvalid) as refused:
        await node(scenery).open(scenery.creator.id, MIRA, asking(scenery, *choices, question=question))
    assert refused.value.details["reason"] == reason


async def test_votes_and_voters_are_forgotten_a_day_after_the_end(scenery: Scenery, redis: Redis) -> None:
    polls = node(scenery)
    poll = await opened(polls, scenery)
    await polls.vote(scenery.stream_id, "ada", poll.id, 0)
    names = await redis.keys(f"room:{{{scenery.stream_id}}}:poll*", target_nodes=Redis.PRIMARIES)
    assert len(names) == 3
    seconds = [await redis.ttl(name) for name in names]
    assert all(86_400 < left <= 86_460 for left in seconds)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(votes=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), max_size=25), ends=st.integers(0, 25))
async def test_the_tally_is_what_was_accepted(scenery: Scenery, votes: list[tuple[int, int]], ends: int) -> None:
    nodes, room = [node(scenery), node(scenery)], scenery.stream_id
    poll = await opened(nodes[0], scenery, "a", "b", "c")
    accepted = [0, 0, 0]
    for number, (user, choice) in enumerate(votes):
        if number == ends:
            await nodes[0].close(room, MIRA, poll.id)
        [answer] = await together(nodes[number % 2].vote(room, f"user-{user}", poll.id, choice))
        assert answer is None or isinstance(answer, PollVoted | PollClosed | Invalid)
        if answer is None:
            accepted[choice] += 1
    await together(nodes[1].close(room, MIRA, poll.id))
    assert states(scenery)[-1] == ("closed", accepted)
    assert sum(accepted) == len({user for user, choice in votes[:ends] if choice < 3})
