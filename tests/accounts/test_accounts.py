"""What people can do with their accounts, and what the rest of the platform hears of it."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from accounts.accounts import FRESH
from accounts.errors import (
    AccountNotFound,
    EmailTaken,
    FieldsInvalid,
    SessionOver,
    TooManyAttempts,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
)
from accounts.model import Identity, SignIn
from accounts.sessions import MOST_PER_USER
from accounts.throttle import MOST
from infra.clock import new_id
from infra.errors import Unavailable
from infra.stores.postgres import Postgres
from infra.stores.redis import open_redis
from tests.accounts.world import ADDRESS, PASSWORD, World, open_world
from tests.servers import valkey_cluster

ADA = "ada@example.com"
NEW = "eight blue kettles"


async def who(world: World, signed: SignIn) -> Identity:
    return await world.accounts.identify(signed.access_token)


async def sign_in(world: World, password: str = PASSWORD, *, email: str = ADA, address: str = ADDRESS) -> SignIn:
    return await world.accounts.sign_in(email, password, address)


async def test_twenty_people_with_one_address_make_one_account(world: World) -> None:
    outcomes = await asyncio.gather(*(world.person() for _ in range(20)), return_exceptions=True)
    made = [outcome for outcome in outcomes if isinstance(outcome, SignIn)]
    taken = [outcome for outcome in outcomes if isinstance(outcome, EmailTaken)]
    assert (len(made), len(taken)) == (1, 19)
    assert (await who(world, made[0])).display_name == "Ada"


async def test_all_wrong_fields_are_named_at_once(world: World) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        await world.accounts.sign_up("nobody", PASSWORD, " ")
    assert set(refused.value.details["fields"]) == {"email", "display_name"}


async def test_a_weak_password_makes_no_account(world: World) -> None:
    with pytest.raises(WeakPassword) as refused:
        await world.accounts.sign_up(ADA, "password", "Ada")
    assert refused.value.details["fields"]["password"]
    assert (await world.person()).user.email == ADA


async def test_the_same_answer_for_a_wrong_password_and_an_unknown_address(world: World) -> None:
    await world.person()
    answers = []
    for email, password in ((ADA, NEW), ("eve@example.com", PASSWORD), ("no address", PASSWORD), (ADA, "")):
        with pytest.raises(WrongCredentials) as refused:
            await sign_in(world, password, email=email)
        answers.append(refused.value.as_dict())
    assert answers == [answers[0]] * 4


async def test_the_address_may_be_typed_in_any_way(world: World) -> None:
    signed = await world.person()
    assert (await sign_in(world, email=" ADA@Example.com ")).user == signed.user


async def test_a_guesser_is_stopped_and_the_owner_is_not(world: World) -> None:
    await world.person()
    outcomes = await asyncio.gather(*(sign_in(world, NEW) for _ in range(MOST * 2)), return_exceptions=True)
    assert sum(isinstance(outcome, WrongCredentials) for outcome in outcomes) == MOST
    stopped = [outcome for outcome in outcomes if isinstance(outcome, TooManyAttempts)]
    assert len(stopped) == MOST
    assert 0 < (stopped[0].retry_after_ms or 0) <= 600_000
    with pytest.raises(TooManyAttempts):
        await sign_in(world)  # the right password does not tell the guesser that it is right
    assert await sign_in(world, address="198.51.100.1")


async def test_guesses_at_unknown_addresses_are_counted_too(world: World) -> None:
    for _ in range(MOST):
        with pytest.raises(WrongCredentials):
            await sign_in(world, email="eve@example.com")
    with pytest.raises(TooManyAttempts):
        await sign_in(world, email="eve@example.com")


async def test_a_whole_ipv6_network_is_one_guesser(world: World) -> None:
    await world.person()
    for number in range(MOST):
        with pytest.raises(WrongCredentials):
            await sign_in(world, NEW, address=f"2001:db8:0:1::{number:x}")
    with pytest.raises(TooManyAttempts):
        await sign_in(world, address="2001:db8:0:1:ffff::1")
    assert await sign_in(world, address="2001:db8:0:2::1")


async def test_the_right_password_forgives_the_wrong_ones(world: World) -> None:
    await world.person()
    for _ in range(2):
        for _ in range(MOST - 1):
            with pytest.raises(WrongCredentials):
                await sign_in(world, NEW)
        assert await sign_in(world)


async def test_signing_out_kills_the_token_at_once_and_tells_everybody(world: World) -> None:
    signed = await world.person()
    other = await sign_in(world)
    identity = await who(world, signed)
    await world.accounts.sign_out(identity)
    with pytest.raises(SessionOver):
        await who(world, signed)
    with pytest.raises(SessionOver):
        await world.accounts.refresh(signed.refresh_token or "")
    assert await who(world, other)
    ((topic, body),) = await world.told()
    assert (topic, body["session_ids"]) == ("account.sessions_revoked", [identity.session_id])
    assert world.outbox.waiting.is_set()


async def test_the_refresh_token_alone_signs_out_as_well(world: World) -> None:
    signed = await world.person()
    await world.accounts.sign_out(None, signed.refresh_token or "")
    with pytest.raises(SessionOver):
        await who(world, signed)


async def test_signing_out_twice_or_with_nothing_is_fine(world: World) -> None:
    signed = await world.person()
    identity = await who(world, signed)
    for _ in range(2):
        await world.accounts.sign_out(identity, signed.refresh_token or "")
    await world.accounts.sign_out(None, "nonsense")
    await world.accounts.sign_out(None)


async def test_a_new_password_ends_every_other_sign_in(world: World) -> None:
    phone, laptop = await world.person(), await sign_in(world)
    old_ids = {(await who(world, phone)).session_id, (await who(world, laptop)).session_id}
    signed = await world.accounts.change_password(await who(world, phone), PASSWORD, NEW, ADDRESS)
    for ended in (phone, laptop):
        with pytest.raises(SessionOver):
            await who(world, ended)
        with pytest.raises(SessionOver):
            await world.accounts.refresh(ended.refresh_token or "")
    fresh = await who(world, signed)
    ((_, body),) = await world.told()
    assert set(body["session_ids"]) == old_ids
    assert fresh.session_id not in body["session_ids"]
    with pytest.raises(WrongCredentials):
        await sign_in(world)
    assert await sign_in(world, NEW)


async def test_a_new_password_needs_the_current_one_and_must_be_good(world: World) -> None:
    identity = await who(world, await world.person())
    with pytest.raises(WrongPassword):
        await world.accounts.change_password(identity, NEW, NEW, ADDRESS)
    with pytest.raises(WeakPassword) as refused:
        await world.accounts.change_password(identity, PASSWORD, "footlight1", ADDRESS)
    assert set(refused.value.details["fields"]) == {"new_password"}
    assert await sign_in(world)


async def test_guessing_the_current_password_is_stopped(world: World) -> None:
    identity = await who(world, await world.person())
    for _ in range(MOST):
        with pytest.raises(WrongPassword):
            await world.accounts.change_password(identity, NEW, NEW, ADDRESS)
    with pytest.raises(TooManyAttempts):
        await world.accounts.change_password(identity, PASSWORD, NEW, ADDRESS)


async def test_no_sign_in_with_the_old_password_outlives_its_change(world: World) -> None:
    """Signing in and changing the password at the same time: whatever wins, the old password holds nothing."""
    password = PASSWORD
    signed = await world.person()
    for number in range(2):
        changed_to = f"{NEW} {number}"
        changing = world.accounts.change_password(await who(world, signed), password, changed_to, ADDRESS)
        racers = [sign_in(world, password, address=f"192.0.2.{digit}") for digit in range(6)]
        signed, *raced = await asyncio.gather(changing, *racers, return_exceptions=True)  # type: ignore[assignment]
        assert isinstance(signed, SignIn)
        for other in raced:
            with pytest.raises((SessionOver, WrongCredentials)):
                raise other if isinstance(other, BaseException) else await _error_of(world, other)
        password = changed_to


async def test_a_password_that_is_changed_while_somebody_signs_in_with_it_lets_nobody_in(world: World) -> None:
    await world.person()
    async with world.db.transaction() as connection:
        await connection.execute("UPDATE users SET password_hash = 'another'")
        signing_in = asyncio.create_task(sign_in(world))
        # Only the server knows when it waits.
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # it read the old hash, found it right, and waits for us
    with pytest.raises(WrongCredentials):
        await signing_in


async def _error_of(world: World, signed: SignIn) -> BaseException:
    try:
        await who(world, signed)
    except SessionOver as over:
        return over
    return AssertionError("an old sign-in stands")


async def test_a_new_name_is_seen_at_once_by_every_sign_in(world: World) -> None:
    phone, laptop = await world.person(), await sign_in(world)
    user = await world.accounts.rename(await who(world, phone), "  Countess  ")
    assert user.display_name == "Countess"
    for signed in (phone, laptop):
        assert (await who(world, signed)).display_name == "Countess"
    assert (await world.accounts.me(await who(world, phone))) == user
    ((topic, body),) = await world.told()
    assert (topic, body["display_name"], body["role"]) == ("account.profile_changed", "Countess", "free")


async def test_a_chat_colour_is_carried_by_every_sign_in_old_and_new(world: World) -> None:
    phone = await world.person()
    assert (await who(world, phone)).chat_color is None
    user = await world.accounts.set_chat_color((await who(world, phone)).user_id, "teal")
    assert user.chat_color == "#149c94"
    refreshed = await world.accounts.refresh(phone.refresh_token or "")
    for signed in (phone, refreshed, await sign_in(world)):
        assert (await who(world, signed)).chat_color == "#149c94"
    assert [body["chat_color"] for _, body in await world.told()] == ["#149c94"]
    await world.accounts.set_chat_color(user.id, None)
    assert (await who(world, phone)).chat_color is None


async def test_a_profile_changes_whole_or_not_at_all_and_is_told_once(world: World) -> None:
    me = await who(world, await world.person())
    with pytest.raises(FieldsInvalid) as refused:
        await world.accounts.change_profile(me.user_id, display_name="Countess", chat_color="white")
    assert set(refused.value.details["fields"]) == {"chat_color"}
    assert (await world.accounts.me(me)).display_name == "Ada"
    await world.accounts.change_profile(me.user_id, display_name="Countess", chat_color="pink")
    await world.accounts.change_profile(me.user_id)  # nothing: nobody needs to hear of it
    ((_, body),) = await world.told()
    assert (body["display_name"], body["chat_color"]) == ("Countess", "#f15bb5")


async def test_becoming_a_creator_holds_at_once_and_twice_is_fine(world: World) -> None:
    signed = await world.person()
    creator = await world.accounts.become_creator(await who(world, signed))
    assert (creator.user.role, creator.refresh_token) == ("creator", None)
    assert (await who(world, signed)).role == "creator"
    assert (await who(world, creator)).session_id == (await who(world, signed)).session_id
    await world.accounts.become_creator(await who(world, signed))
    assert [body["role"] for _, body in await world.told()] == ["creator"]


async def test_many_at_once_become_creators_of_one_account_without_a_deadlock(world: World) -> None:
    identity = await who(world, await world.person())
    answers = await asyncio.gather(*(world.accounts.become_creator(identity) for _ in range(10)))
    assert {answer.user.role for answer in answers} == {"creator"}


async def test_an_operator_grants_any_role_and_an_admin_stays_one(world: World) -> None:
    signed = await world.person()
    assert (await world.accounts.grant("ADA@example.com", "admin")).role == "admin"
    assert (await world.accounts.become_creator(await who(world, signed))).user.role == "admin"
    assert (await world.accounts.grant(ADA, "premium")).subscription_tier == "premium"
    identity = await who(world, signed)
    assert (identity.role, identity.subscription_tier) == ("premium", "premium")
    assert (await world.accounts.become_creator(identity)).user.subscription_tier == "premium"
    assert (await world.accounts.grant(ADA, "free")).subscription_tier == "free"
    with pytest.raises(AccountNotFound):
        await world.accounts.grant("eve@example.com", "admin")
    with pytest.raises(AccountNotFound):
        await world.accounts.grant("no address", "admin")


async def test_a_dropped_role_is_gone_from_tokens_that_were_made_before(world: World) -> None:
    signed = await world.person()
    await world.accounts.grant(ADA, "creator")
    assert (await who(world, signed)).role == "creator"
    await world.accounts.grant(ADA, "free")
    assert (await who(world, signed)).role == "free"


async def test_without_redis_nobody_is_let_in_and_nothing_half_happens(
    tmp_path: Path, keys_folder: Path, db: Postgres
) -> None:
    async with (
        valkey_cluster(tmp_path) as (settings, nodes),
        open_redis(settings) as redis,
        open_world(keys_folder, db, redis) as world,
    ):
        signed = await world.person()
        identity = await who(world, signed)
        for node in nodes:
            await node.stop()
        with pytest.raises(Unavailable):
            await who(world, signed)
        for attempt in (
            sign_in(world),
            world.accounts.refresh(signed.refresh_token or ""),
            world.accounts.sign_out(identity),
            world.accounts.rename(identity, "Countess"),
            world.accounts.become_creator(identity),
            world.accounts.sign_up("eve@example.com", PASSWORD, "Eve"),
        ):
            with pytest.raises(Unavailable):
                await attempt
        assert (await world.accounts.me(identity)) == signed.user
        assert await world.told() == []
        async with db.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM users") == 1


async def test_what_cannot_be_told_does_not_happen_to_a_sign_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise sockets of a sign-in that is over would stay open, and nobody would ever hear of it."""
    first = await world.person()
    identity = await who(world, first)
    for _ in range(MOST_PER_USER - 1):
        await world.sessions.open(first.user, new_id(), world.clock())

    async def lost(*_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as outage:
        outage.setattr(world.outbox, "add", lost)
        for attempt in (
            world.accounts.sign_out(identity),
            world.accounts.change_password(identity, PASSWORD, NEW, ADDRESS),
            world.accounts.rename(identity, "Countess"),
            sign_in(world),
        ):
            with pytest.raises(Unavailable):
                await attempt
    assert await who(world, first) == identity
    assert await world.told() == []
    await world.accounts.sign_out(identity)
    assert [body["session_ids"] for _, body in await world.told()] == [[identity.session_id]]


async def test_a_sign_in_is_fresh_for_ten_minutes_and_again_after_the_password(world: World) -> None:
    await world.person()
    identity = await who(world, await sign_in(world))
    assert await world.accounts.is_fresh(identity)
    world.clock.offset += FRESH + timedelta(seconds=1)
    assert not await world.accounts.is_fresh(identity)
    with pytest.raises(WrongPassword):
        await world.accounts.confirm_password(identity, NEW, ADDRESS)
    assert not await world.accounts.is_fresh(identity)
    await world.accounts.confirm_password(identity, PASSWORD, ADDRESS)
    assert await world.accounts.is_fresh(identity)


async def test_a_refreshed_sign_in_is_no_fresher_and_one_that_is_over_is_not_fresh(world: World) -> None:
    signed = await world.person()
    identity = await who(world, signed)
    assert signed.refresh_token is not None
    world.clock.offset += FRESH + timedelta(seconds=1)
    await world.accounts.refresh(signed.refresh_token)
    assert not await world.accounts.is_fresh(identity)
    await world.accounts.confirm_password(identity, PASSWORD, ADDRESS)
    await world.accounts.sign_out(identity)
    assert not await world.accounts.is_fresh(identity)


async def test_confirming_is_guessing_and_counted_as_such(world: World) -> None:
    identity = await who(world, await world.person())
    for _ in range(MOST):
        with pytest.raises(WrongPassword):
            await world.accounts.confirm_password(identity, NEW, ADDRESS)
    with pytest.raises(TooManyAttempts):
        await world.accounts.confirm_password(identity, PASSWORD, ADDRESS)
