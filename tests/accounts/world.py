"""What account tests start from: the wired domain on real servers, a clock that can be moved, the stored events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from accounts.accounts import Accounts
from accounts.keys import Keys
from accounts.model import SignIn
from accounts.open import open_accounts
from accounts.sessions import Sessions
from infra.outbox import Outbox
from infra.settings import AuthSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis

SECRET = "a secret of thirty-two characters"
PASSWORD = "seven green kites"
ADDRESS = "192.0.2.7"


class MovedClock:
    """The real time, moved by `offset`."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


class World:
    """The accounts of a fresh installation; `keys` is what an operator has: the same folder, another process."""

    def __init__(
        self, accounts: Accounts, clock: MovedClock, outbox: Outbox, db: Postgres, redis: Redis, keys: Keys
    ) -> None:
        self.accounts = accounts
        self.clock = clock
        self.outbox = outbox
        self.db = db
        self.redis = redis
        self.keys = keys
        self.sessions = Sessions(redis, life=timedelta(days=7))

    async def person(self, email: str = "ada@example.com", name: str = "Ada") -> SignIn:
        return await self.accounts.sign_up(email, PASSWORD, name)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Topic and body of every event stored so far."""
        async with self.db.connection() as connection:
            rows = await connection.fetch("SELECT topic, body FROM outbox ORDER BY sequence")
        return [(row["topic"], msgspec.json.decode(row["body"])) for row in rows]


@asynccontextmanager
async def open_world(keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[World]:
    clock, outbox = MovedClock(), Outbox()
    settings = AuthSettings(keys=keys, secret=SECRET)
    async with open_accounts(settings, db, redis, outbox, clock=clock) as accounts:
        yield World(accounts, clock, outbox, db, redis, Keys(keys, clock=clock))
