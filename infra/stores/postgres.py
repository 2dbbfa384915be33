"""PostgreSQL: open, ping, close. Nothing else knows how to connect.

Failures of the connection become `Unavailable`, values no column can take `Invalid`, so that domains never import the
driver to catch them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from infra.errors import Invalid, Unavailable
from infra.logs import get_logger
from infra.settings import PostgresSettings

Pool = asyncpg.Pool
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

# What a dead, restarting or overloaded server raises (measured with kill -9: all of these appear).
LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
)


log = get_logger(__name__)


class PostgresUnavailable(Unavailable):
    code = "service.postgres"
    message = "The database does not answer just now. Try again in a moment."


# What the server says of values that no column takes. Other data errors are ours: a wrong statement.
UNSTORABLE = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
    asyncpg.NumericValueOutOfRangeError,
    asyncpg.DatetimeFieldOverflowError,
    asyncpg.exceptions.InvalidTextRepresentationError,
)


class Unstorable(Invalid):
    """A NUL in a text, a number or a time beyond what the database counts to."""

    message = "A part of this cannot be stored: a character, or a number that is too large."


class Postgres:
    """A pool of connections; every use is one `async with db.connection()` or `db.transaction()`."""

    def __init__(self, pool: asyncpg.Pool, settings: PostgresSettings) -> None:
        self._pool = pool
        self._settings = settings

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for a few queries, each its own transaction."""
        try:
            async with self._pool.acquire(timeout=self._settings.timeout_seconds) as connection:
                yield connection
        except asyncpg.DataError as wrong:
            # asyncpg itself raises the plain class, for values it cannot encode.
            if type(wrong) is not asyncpg.DataError and not isinstance(wrong, UNSTORABLE):
                raise
            # Most often a stranger's doing, and then a warning is too much; ours shows in the answer.
            log.info("postgres.unstorable", why=type(wrong).__name__)
            raise Unstorable from wrong
        except LOST as lost:
            raise PostgresUnavailable() from lost

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """All or nothing: commits when the block ends, rolls back when it raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def ping(self) -> None:
        async with self.connection() as connection:
            await connection.fetchval("SELECT 1")


async def _leave_as_it_is(_: Connection) -> None:
    """No code of ours leaves session state behind, and the driver's own reset costs each use a second round trip."""


@asynccontextmanager
async def open_postgres(settings: PostgresSettings) -> AsyncIterator[Postgres]:
    """Open a pool; leaving the block waits for queries in hand, then closes."""
    try:
        pool = await asyncpg.create_pool(
            settings.url,
            min_size=1,
            max_size=settings.pool_size,
            timeout=settings.timeout_seconds,
            command_timeout=settings.timeout_seconds,
            max_inactive_connection_lifetime=60.0,
            reset=_leave_as_it_is,
        )
    except LOST as lost:
        raise PostgresUnavailable() from lost
    try:
        yield Postgres(pool, settings)
    finally:
        await pool.close()
