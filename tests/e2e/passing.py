"""Time that goes by on a platform that runs: what takes days, without the days."""

from typing import cast

from infra.local.folder import environment_of
from infra.settings import Settings, load_settings
from infra.stores.postgres import open_postgres
from infra.stores.redis import open_redis
from loadtest.stack import Stack
from payments.ledger.entries import owed_to

OLDER_MS = 11 * 60 * 1000  # a sign-in is fresh for ten minutes


async def earnings_ripen(stack: Stack, creator_id: str) -> None:
    """As if a week had gone by: what is pending is available. The books refuse it to everybody but their owner."""
    async with open_postgres(_settings(stack).postgres) as db, db.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            "UPDATE journal_lines SET available_at = now() WHERE account = $1 AND available_at > now()",
            owed_to(creator_id),
        )


async def sign_ins_grow_old(stack: Stack, user_id: str) -> None:
    """As if they had begun eleven minutes earlier, and no password had been asked for since."""
    index = f"sessions:{{{user_id}}}"
    async with open_redis(_settings(stack).redis) as redis:
        for sign_in in cast(list[bytes], await redis.zrange(index, 0, -1)):  # without scores
            await redis.zincrby(index, -OLDER_MS, sign_in)
            await redis.delete(f"{index}:{sign_in.decode()}:fresh")


def _settings(stack: Stack) -> Settings:
    return load_settings(environment_of(stack.folder))
