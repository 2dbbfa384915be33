"""Sign-ins: refresh, reuse, the end, and what a token is worth afterwards."""

import asyncio
from datetime import timedelta

import pytest

from accounts.errors import SessionOver, TokenExpired
from accounts.model import SignIn
from accounts.sessions import GRACE, MOST_PER_USER, RefreshReused
from tests.accounts.world import ADDRESS, PASSWORD, World


async def refreshed(world: World, signed: SignIn) -> SignIn:
    assert signed.refresh_token
    return await world.accounts.refresh(signed.refresh_token)


async def stands(world: World, signed: SignIn) -> bool:
    try:
        await world.accounts.identify(signed.access_token)
    except SessionOver:
        return False
    return True


def after_grace(world: World) -> None:
    world.clock.offset += GRACE + timedelta(seconds=1)


async def test_refreshing_gives_a_new_pair_of_the_same_sign_in(world: World) -> None:
    first = await world.person()
    second = await refreshed(world, first)
    assert second.refresh_token not in (None, first.refresh_token)
    assert second.access_token != first.access_token
    before = await world.accounts.identify(first.access_token)
    after = await world.accounts.identify(second.access_token)
    assert (before.user_id, before.session_id) == (after.user_id, after.session_id)


async def test_a_sign_in_from_before_there_were_channels_has_none(world: World) -> None:
    signed = await world.person()
    identity = await world.accounts.identify(signed.access_token)
    await world.redis.hdel(f"sessions:{{{identity.user_id}}}:{identity.session_id}", "channels")
    assert (await world.accounts.identify(signed.access_token)).channels == {}


async def test_a_double_click_gets_the_same_successor(world: World) -> None:
    first = await world.person()
    answers = await asyncio.gather(*(refreshed(world, first) for _ in range(8)))
    assert len({answer.refresh_token for answer in answers}) == 1
    assert await stands(world, answers[0])
    assert await stands(world, await refreshed(world, answers[0]))


async def test_a_lost_answer_can_be_asked_for_again(world: World) -> None:
    first = await world.person()
    lost = await refreshed(world, first)
    world.clock.offset += GRACE - timedelta(seconds=1)
    assert (await refreshed(world, first)).refresh_token == lost.refresh_token


@pytest.mark.parametrize("thief_first", [True, False])
async def test_a_stolen_refresh_token_ends_the_sign_in_whoever_comes_first(world: World, *, thief_first: bool) -> None:
    signed = await world.person()
    winner = await refreshed(world, signed)  # one of the two; nobody can tell which
    after_grace(world)
    with pytest.raises(SessionOver):
        await refreshed(world, signed)  # the other
    assert not await stands(world, winner)
    assert not await stands(world, signed)
    with pytest.raises(SessionOver):
        await refreshed(world, winner)
    identity = signed.user.id
    revoked = [body for topic, body in await world.told() if topic == "account.sessions_revoked"]
    assert revoked[0]["user_id"] == identity
    assert revoked[0]["session_ids"]
    assert revoked[0]["reason"] == "a refresh token was used twice"


async def test_reuse_puts_a_sign_in_out_of_force_before_anybody_was_told(world: World) -> None:
    """So a database that is down at that moment helps no thief; the reuse is reported again when it is back."""
    signed = await world.person()
    identity = await world.accounts.identify(signed.access_token)
    for _ in range(2):
        with pytest.raises(RefreshReused):
            await world.sessions.rotate(signed.user, identity.session_id, 7, world.clock())
        assert not await stands(world, signed)


async def test_a_copy_kept_for_generations_is_noticed_within_the_grace_as_well(world: World) -> None:
    first = await world.person()
    third = await refreshed(world, await refreshed(world, first))
    with pytest.raises(SessionOver):
        await refreshed(world, first)
    assert not await stands(world, third)


async def test_reuse_ends_only_the_sign_in_it_belongs_to(world: World) -> None:
    phone = await world.person()
    laptop = await world.accounts.sign_in("ada@example.com", PASSWORD, ADDRESS)
    await refreshed(world, phone)
    after_grace(world)
    with pytest.raises(SessionOver):
        await refreshed(world, phone)
    assert await stands(world, laptop)


async def test_a_sign_in_ends_after_a_week_however_often_it_was_refreshed(world: World) -> None:
    signed = await world.person()
    assert signed.refresh_seconds == 7 * 24 * 3600
    for _ in range(6):
        world.clock.offset += timedelta(days=1)
        signed = await refreshed(world, signed)
    assert signed.refresh_seconds <= 24 * 3600
    world.clock.offset += timedelta(days=1, seconds=1)
    with pytest.raises(SessionOver):
        await refreshed(world, signed)


async def test_the_last_access_token_does_not_outlive_its_sign_in(world: World) -> None:
    signed = await world.person()
    world.clock.offset = timedelta(days=7) - timedelta(minutes=5)
    last = await refreshed(world, signed)
    assert 0 < last.access_seconds <= 300


async def test_an_access_token_lives_half_an_hour(world: World) -> None:
    world.clock.offset = timedelta(minutes=-30, seconds=-1)
    signed = await world.person()
    assert signed.access_seconds == 1800
    world.clock.offset = timedelta()
    with pytest.raises(TokenExpired):
        await world.accounts.identify(signed.access_token)
    assert await stands(world, await refreshed(world, signed))


async def test_the_oldest_sign_in_goes_when_there_are_too_many(world: World) -> None:
    signed = [await world.person()]
    identity = await world.accounts.identify(signed[0].access_token)
    user = await world.accounts.me(identity)
    sessions = world.sessions
    for number in range(MOST_PER_USER):
        world.clock.offset += timedelta(seconds=1)
        dropped = await sessions.open(user, f"session-{number}", world.clock())
    assert dropped == [identity.session_id]
    assert not await stands(world, signed[0])


async def test_ended_sign_ins_leave_nothing_behind(world: World) -> None:
    signed = await world.person()
    await world.accounts.sign_out(await world.accounts.identify(signed.access_token))
    left = [key async for key in world.redis.scan_iter(match="sessions:*")]
    assert left == []


async def test_everything_in_redis_has_an_end(world: World) -> None:
    signed = await world.person()
    await refreshed(world, signed)
    with pytest.raises(Exception, match="wrong"):
        await world.accounts.sign_in("ada@example.com", "not the password", ADDRESS)
    keys = [key async for key in world.redis.scan_iter()]
    assert len(keys) == 3
    assert all([await world.redis.pttl(key) > 0 for key in keys])


async def test_many_are_asked_about_at_once_and_each_is_told_apart(world: World) -> None:
    signed = [await world.person(f"person-{number}@example.com") for number in range(4)]
    before = [await world.accounts.identify(one.access_token) for one in signed]
    await world.accounts.rename(before[1], "Another Name")
    await world.accounts.sign_out(before[2])
    found = await world.accounts.present(before)
    assert found[0] == before[0]
    assert found[1] is not None
    assert (found[1].user_id, found[1].display_name) == (before[1].user_id, "Another Name")
    assert found[2] is None
    assert found[3] == before[3]
    assert await world.accounts.present([]) == []
