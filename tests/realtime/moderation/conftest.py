"""A channel with people, on the real database."""

import pytest

from infra.stores.postgres import Postgres
from realtime.entries import User
from tests.realtime.moderation.stage import Stage


@pytest.fixture
def stage(db: Postgres) -> Stage:
    return Stage(db)


@pytest.fixture
async def cleo(stage: Stage) -> User:
    """Who broadcasts."""
    return await stage.person("Cleo", platform="creator", role="creator")


@pytest.fixture
async def ada(stage: Stage) -> User:
    """Who watches."""
    return await stage.person("Ada")


@pytest.fixture
async def room(stage: Stage, cleo: User) -> str:
    """Her live stream."""
    return await stage.stream(cleo)


@pytest.fixture
async def max_(stage: Stage, cleo: User) -> User:
    """One of her moderators."""
    return await moderator(stage, cleo, "Max")


async def moderator(stage: Stage, channel: User, name: str) -> User:
    user = await stage.person(name)
    async with stage.db.connection() as connection:
        await connection.execute(
            "INSERT INTO channels (channel_id, updated_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            channel.id, stage.clock(),
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO channel_roles VALUES ($1, $2, 'moderator', $1, $3)", channel.id, user.id, stage.clock()
        )
    return User(id=user.id, name=name, role="moderator")
