"""Rights in PostgreSQL: sessions, tokens and the rest of the platform follow, whoever else writes at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.model import Identity, SignIn
from gateway.core import running
from infra.clock import new_id
from infra.stores.postgres import Connection, Postgres, PostgresUnavailable
from infra.stores.redis import Redis
from payments import sweeping
from payments.entitlements import Rights
from payments.model import Right, channel_scope
from payments.sweeping import RightsSweeper
from tests.accounts.world import ADDRESS, PASSWORD, MovedClock, World, open_world

ADA = "ada@example.com"
DAY = timedelta(days=1)


class Shop:
    """Accounts with rights over them. The clock of the rights can be moved; tokens know the real time only."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = MovedClock()
        self.rights = Rights(world.accounts, self.clock)
        self.sweeper = RightsSweeper(world.db, self.rights, world.outbox)

    def later(self, time: timedelta) -> None:
        self.clock.offset += time

    @property
    def now(self) -> datetime:
        return self.clock()

    async def put(self, *rights: Right) -> None:
        async with self.world.db.transaction() as connection:
            await self.rights.put(connection, *rights)

    async def withdraw(self, source: str) -> list[str]:
        async with self.world.db.transaction() as connection:
            return await self.rights.withdraw(connection, source)

    async def who(self, signed: SignIn) -> Identity:
        return await self.world.accounts.identify(signed.access_token)

    async def told(self) -> list[tuple[str, dict[str, int]]]:
        bodies = [body for topic, body in await self.world.told() if topic == "account.profile_changed"]
        return [(body["subscription_tier"], body["channels"]) for body in bodies]

    async def due(self) -> list[Any]:
        async with self.world.db.connection() as connection:
            return [row["user_id"] for row in await connection.fetch("SELECT user_id FROM right_changes")]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("payments") / "keys"


@pytest.fixture
async def shop(keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Shop]:
    async with open_world(keys, db, redis) as world:
        yield Shop(world)


def right(
    shop: Shop, who: SignIn, source: str, *, of: str | None = None, level: int = 1, days: float | None = 30
) -> Right:
    return Right(
        user_id=who.user.id, scope=channel_scope(of) if of else "premium", source=source, level=level,
        starts_at=shop.now, until=None if days is None else shop.now + days * DAY,
    )  # fmt: skip


async def test_a_right_holds_at_once_in_every_session_and_is_told_once(shop: Shop) -> None:
    ada = await shop.world.person()
    also = await shop.world.accounts.sign_in(ADA, PASSWORD, ADDRESS)
    cleo = new_id()
    await shop.put(right(shop, ada, "subscription:s1"), right(shop, ada, "gift:g1", of=cleo, level=2))
    for signed in (ada, also):
        identity = await shop.who(signed)
        assert (identity.subscription_tier, identity.channels) == ("premium", {cleo: 2})
    assert await shop.told() == [("premium", {cleo: 2})]
    await shop.put(right(shop, ada, "subscription:s1", days=31))
    assert await shop.told() == [("premium", {cleo: 2})]
    user = await shop.world.accounts.me(await shop.who(ada))
    assert (user.subscription_tier, user.channels) == ("premium", {cleo: 2})


async def test_a_new_sign_in_and_a_refresh_know_the_rights(shop: Shop) -> None:
    ada = await shop.world.person()
    cleo = new_id()
    await shop.put(right(shop, ada, "comp:c1", of=cleo, days=None))
    again = await shop.world.accounts.sign_in(ADA, PASSWORD, ADDRESS)
    assert again.user.channels == (await shop.who(again)).channels == {cleo: 1}
    refreshed = await shop.world.accounts.refresh(again.refresh_token or "")
    assert (await shop.who(refreshed)).channels == {cleo: 1}


async def test_who_subscribes_to_a_channel_has_that_channels_only(shop: Shop) -> None:
    ada = await shop.world.person()
    cleo, dora = new_id(), new_id()
    await shop.put(right(shop, ada, "subscription:s1", of=cleo))
    identity = await shop.who(ada)
    assert (identity.subscribes_to(cleo), identity.subscribes_to(dora)) == (True, False)
    await shop.put(right(shop, ada, "subscription:s2"))
    assert (await shop.who(ada)).subscribes_to(dora)


async def test_what_time_ends_is_ended_by_the_sweeper(shop: Shop) -> None:
    ada = await shop.world.person()
    cleo = new_id()
    await shop.put(right(shop, ada, "subscription:s1", days=30), right(shop, ada, "gift:g1", of=cleo, days=60))
    assert await shop.sweeper.sweep() == 0
    shop.later(30 * DAY - timedelta(seconds=5))
    assert await shop.sweeper.sweep() == 0
    shop.later(timedelta(seconds=5))
    assert (await shop.who(ada)).subscription_tier == "premium", "until somebody looks"
    assert await shop.sweeper.sweep() == 1
    identity = await shop.who(ada)
    assert (identity.subscription_tier, identity.channels) == ("free", {cleo: 1})
    shop.later(30 * DAY)
    assert await shop.sweeper.sweep() == 1
    assert await shop.told() == [("premium", {cleo: 1}), ("free", {cleo: 1}), ("free", {})]
    assert await shop.due() == []


async def test_a_right_that_begins_later_begins_by_itself(shop: Shop) -> None:
    ada = await shop.world.person()
    shop.later(DAY)
    later = right(shop, ada, "subscription:s1", days=1)
    shop.later(-DAY)
    await shop.put(later)
    assert (await shop.who(ada)).subscription_tier == "free"
    shop.later(DAY)
    await shop.sweeper.sweep()
    assert (await shop.who(ada)).subscription_tier == "premium"


async def test_many_sweepers_at_once_tell_it_once(shop: Shop) -> None:
    people = [await shop.world.person(f"p{number}@example.com") for number in range(5)]
    await shop.put(*(right(shop, one, "subscription:s1", days=1) for one in people))
    shop.later(DAY)
    await asyncio.gather(*(shop.sweeper.sweep() for _ in range(4)))
    assert await shop.told() == [("premium", {})] * 5 + [("free", {})] * 5
    assert await shop.sweeper.sweep() == 0


class Interrupted(Postgres):
    """A database that is away at first."""

    def __init__(self, db: Postgres) -> None:
        self._real = db
        self.failures: list[Exception] = [PostgresUnavailable(), RuntimeError("what nobody thought of")]

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        if self.failures:
            raise self.failures.pop()
        async with self._real.connection() as connection:
            yield connection


async def test_a_sweeper_outlives_its_failures(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "SWEEP_SECONDS", 0.01)
    ada = await shop.world.person()
    await shop.put(right(shop, ada, "subscription:s1", days=1))
    shop.later(DAY)
    away = Interrupted(shop.world.db)
    async with running(RightsSweeper(away, shop.rights, shop.world.outbox).run()):
        while (await shop.who(ada)).subscription_tier == "premium":  # noqa: ASYNC110  # Redis tells nobody
            await asyncio.sleep(0.01)
    assert away.failures == []


async def test_one_person_whose_rights_cannot_be_worked_out_keeps_nobody_waiting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await shop.world.person(f"p{number}@example.com") for number in range(3)]
    await shop.put(*(right(shop, one, "subscription:s1", days=1) for one in people))
    shop.later(DAY)
    entitle = shop.world.accounts.entitle

    async def refuse(connection: Connection, user_id: str, *rest: Any) -> bool:
        if user_id == people[0].user.id:
            raise RuntimeError("no")
        return await entitle(connection, user_id, *rest)

    monkeypatch.setattr(shop.world.accounts, "entitle", refuse)
    assert await shop.sweeper.sweep() == 2
    assert [(await shop.who(one)).subscription_tier for one in people] == ["premium", "free", "free"]
    monkeypatch.undo()
    assert await shop.sweeper.sweep() == 1


async def test_two_writers_and_a_sweeper_at_once_lose_nothing(shop: Shop) -> None:
    ada = await shop.world.person()
    channels = [new_id() for _ in range(8)]
    await shop.put(right(shop, ada, "subscription:s0", days=0.5))
    shop.later(DAY)
    await asyncio.gather(
        *(shop.put(right(shop, ada, f"subscription:{one}", of=one)) for one in channels),
        *(shop.sweeper.sweep() for _ in range(3)),
    )
    identity = await shop.who(ada)
    assert identity.channels == dict.fromkeys(channels, 1)
    assert identity.subscription_tier == "free"


async def test_a_sweeper_that_comes_while_somebody_writes_sees_what_they_wrote(shop: Shop) -> None:
    ada = await shop.world.person()
    cleo = new_id()
    await shop.put(right(shop, ada, "subscription:s1", days=1))
    shop.later(DAY)
    async with shop.world.db.transaction() as connection:
        await shop.rights.put(connection, right(shop, ada, "gift:g1", of=cleo))
        sweep = asyncio.create_task(shop.sweeper.sweep())
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await sweep
    assert (await shop.who(ada)).channels == {cleo: 1}
    assert (await shop.world.accounts.me(await shop.who(ada))).channels == {cleo: 1}


async def test_two_who_wrote_of_the_same_person_before_do_not_wait_for_each_other_for_ever(shop: Shop) -> None:
    ada = await shop.world.person()
    both_wrote = asyncio.Barrier(2)

    async def buy(number: int) -> None:
        async with shop.world.db.transaction() as connection:
            await connection.execute(
                "INSERT INTO orders (id, user_id, kind, plan_id, amount_minor, currency, created_at, expires_at) "
                "VALUES ($1, $2, 'subscription', 'premium-monthly', 499, 'eur', now(), now())",
                new_id(), ada.user.id,
            )  # fmt: skip
            await both_wrote.wait()
            await shop.rights.put(connection, right(shop, ada, f"subscription:s{number}"))

    await asyncio.gather(buy(1), buy(2))
    async with shop.world.db.connection() as connection:
        assert len(await shop.rights.of(connection, ada.user.id)) == 2


async def test_what_is_withdrawn_is_as_if_it_had_never_been(shop: Shop) -> None:
    ada = await shop.world.person()
    bob = await shop.world.person("bob@example.com")
    cleo = new_id()
    await shop.put(*(right(shop, who, "gift:g1", of=cleo) for who in (ada, bob)), right(shop, ada, "gift:g2", of=cleo))
    shop.later(40 * DAY)
    await shop.sweeper.sweep()
    assert sorted(await shop.withdraw("gift:g1")) == sorted([ada.user.id, bob.user.id])
    shop.later(-40 * DAY)
    async with shop.world.db.connection() as connection:
        assert [one.source for one in await shop.rights.of(connection, ada.user.id)] == ["gift:g2"]
    assert await shop.withdraw("gift:g1") == []


async def test_rights_of_nobody_are_passed_over(shop: Shop) -> None:
    ada = await shop.world.person()
    ghost = Right(
        user_id=new_id(), scope="premium", source="subscription:s1", level=1, starts_at=shop.now, until=None
    )  # fmt: skip
    await shop.put(ghost, right(shop, ada, "subscription:s2"))
    assert (await shop.who(ada)).subscription_tier == "premium"


async def test_a_transaction_that_fails_gives_nothing_to_keep(shop: Shop) -> None:
    ada = await shop.world.person()
    with pytest.raises(ZeroDivisionError):
        async with shop.world.db.transaction() as connection:
            await shop.rights.put(connection, right(shop, ada, "subscription:s1"))
            raise ZeroDivisionError
    assert await shop.told() == []
    assert (await shop.world.accounts.me(await shop.who(ada))).subscription_tier == "free"
    await shop.put(right(shop, ada, "subscription:s1"))
    assert (await shop.who(ada)).subscription_tier == "premium"


async def test_sessions_that_a_failed_transaction_left_ahead_follow_the_next_look(shop: Shop) -> None:
    """The subscription was over by the time it was tried again: nothing changed in PostgreSQL."""
    ada = await shop.world.person()
    with pytest.raises(ZeroDivisionError):
        async with shop.world.db.transaction() as connection:
            await shop.rights.put(connection, right(shop, ada, "subscription:s1"))
            raise ZeroDivisionError
    await shop.put(right(shop, ada, "subscription:s1", days=0))
    assert (await shop.who(ada)).subscription_tier == "free"
    assert await shop.told() == []


# --- an operator's grant stands beside what is paid for


async def test_an_operators_premium_outlives_a_subscription(shop: Shop) -> None:
    ada = await shop.world.person()
    await shop.world.accounts.grant(ADA, "premium")
    await shop.put(right(shop, ada, "subscription:s1", days=1))
    shop.later(DAY)
    await shop.sweeper.sweep()
    assert (await shop.who(ada)).subscription_tier == "premium"
    assert await shop.told() == [("premium", {})]
    assert await shop.due() == []


async def test_an_operator_does_not_take_what_was_paid_for(shop: Shop) -> None:
    ada = await shop.world.person()
    cleo = new_id()
    await shop.put(right(shop, ada, "subscription:s1", days=1), right(shop, ada, "subscription:s2", of=cleo))
    assert (await shop.world.accounts.grant(ADA, "premium")).subscription_tier == "premium"
    dropped = await shop.world.accounts.grant(ADA, "free")
    assert (dropped.role, dropped.subscription_tier, dropped.channels) == ("free", "premium", {cleo: 1})
    shop.later(DAY)
    await shop.sweeper.sweep()
    assert (await shop.who(ada)).subscription_tier == "free"


async def test_a_new_name_keeps_the_channels(shop: Shop) -> None:
    ada = await shop.world.person()
    cleo = new_id()
    await shop.put(right(shop, ada, "subscription:s1", of=cleo))
    await shop.world.accounts.rename(await shop.who(ada), "Countess")
    assert await shop.told() == [("free", {cleo: 1})] * 2
    assert (await shop.who(ada)).channels == {cleo: 1}
