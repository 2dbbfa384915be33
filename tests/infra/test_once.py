"""Claims of message ids, where Redis does not answer every command."""

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as ConnectionLost

from infra.bus.once import Once
from infra.clock import new_id
from infra.stores.redis import Redis


@pytest.fixture
def answers_lost(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of these commands the answer is lost once each, after the server did what it was told."""
    lost: list[str] = []
    say = redis.set

    async def spoken(*arguments: Any, **named: Any) -> Any:
        answer = await say(*arguments, **named)
        if lost:
            raise ConnectionLost(lost.pop())
        return answer

    monkeypatch.setattr(redis, "set", spoken)
    return lost


async def test_a_claim_whose_answer_was_lost_is_still_one_claim(redis: Redis, answers_lost: list[str]) -> None:
    once, name = Once(redis), new_id()
    answers_lost += ["claim", "claim"]
    assert await once.claim("group", name) == "mine"
    assert await Once(redis).claim("group", name) == "busy"


async def test_a_handled_message_is_a_duplicate_although_redis_was_away_for_a_moment(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, name = Once(redis), new_id()
    assert await once.claim("group", name) == "mine"
    refusals, say = [ConnectionLost(), ConnectionLost()], redis.set

    async def away(*arguments: Any, **named: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return await say(*arguments, **named)

    monkeypatch.setattr(redis, "set", away)
    await once.finish("group", name)
    assert await once.claim("group", name) == "done"


async def test_two_copies_at_once_are_one_claim_in_the_same_process_too(redis: Redis) -> None:
    once, name = Once(redis), new_id()
    verdicts = await asyncio.gather(*(once.claim("group", name) for _ in range(5)))
    assert sorted(verdicts) == ["busy"] * 4 + ["mine"]
    await once.release("group", name)
    assert await once.claim("group", name) == "mine"
    await once.finish("group", name)
    assert await once.claim("group", name) == "done"
