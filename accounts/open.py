"""Wires accounts: one block that a composition root enters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from accounts.accounts import Accounts, Tokens
from accounts.keys import Keys
from accounts.passwords import Passwords
from accounts.refresh_tokens import RefreshTokens
from accounts.sessions import Sessions
from accounts.throttle import Throttle
from infra.clock import Clock, system_clock
from infra.outbox import Outbox
from infra.settings import AuthSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis


@asynccontextmanager
async def open_accounts(
    settings: AuthSettings, db: Postgres, redis: Redis, outbox: Outbox, *, clock: Clock = system_clock
) -> AsyncIterator[Accounts]:
    """Everything wired. Raises `BadSetting` without a secret or usable keys; leaving waits for passwords in hand."""
    refresh_tokens = RefreshTokens(settings.secret)
    keys = Keys(settings.keys, clock=clock)
    await keys.open()
    passwords = Passwords(settings.hash_workers)
    try:
        yield Accounts(
            db=db,
            sessions=Sessions(redis, life=timedelta(days=settings.refresh_days)),
            throttle=Throttle(redis),
            passwords=passwords,
            tokens=Tokens(keys, refresh_tokens, settings.issuer, timedelta(minutes=settings.access_minutes)),
            outbox=outbox,
            clock=clock,
        )
    finally:
        await asyncio.to_thread(passwords.close)
