"""Who asks something of a channel, as PostgreSQL knows them."""

from datetime import datetime

from accounts.model import Identity
from infra.stores.postgres import Connection
from realtime.entries import User
from realtime.moderation import repository
from realtime.moderation.capabilities import Capability, require
from realtime.moderation.errors import ChannelNotFound, NotAllowed, UnknownUser


async def person_here(connection: Connection, channel_id: str, user_id: str) -> User:
    """Somebody as the channel sees them; raises `ChannelNotFound`, `UnknownUser`."""
    if not repository.is_id(channel_id):
        raise ChannelNotFound
    people = await repository.people(connection, channel_id, [channel_id, user_id])
    if channel_id not in people:
        raise ChannelNotFound
    if user_id not in people:
        raise UnknownUser
    return people[user_id]


async def admitted(connection: Connection, channel_id: str, identity: Identity, capability: Capability) -> User:
    """Who asks; raises `ChannelNotFound`, and `NotAllowed` without the capability."""
    user = await person_here(connection, channel_id, identity.user_id)
    require(user.role, capability)
    return user


async def acting(
    connection: Connection, channel_id: str, identity: Identity, capability: Capability, now: datetime
) -> User:
    """Who changes something: `admitted`, and under no sanction."""
    user = await admitted(connection, channel_id, identity, capability)
    await require_free(connection, channel_id, user, capability, now)
    return user


async def require_free(
    connection: Connection, channel_id: str, user: User, capability: Capability, now: datetime
) -> None:
    """Raise `NotAllowed` for who is timed out or banned here: moderators too have no say until it is over."""
    if user.role != "admin" and await repository.sanction(connection, channel_id, user.id, now) is not None:
        raise NotAllowed(capability=capability)


def actor_of(identity: Identity) -> User:
    """Who acts, for `Moderation.act`, which finds out their role itself."""
    return User(id=identity.user_id, name=identity.display_name, role="viewer", color=identity.chat_color)
