"""Sign-ins that stand, in the Redis cluster: what makes a token die the moment somebody signs out.

One sign-in is one family of refresh tokens with an end that no refresh moves. Its record also holds the user's present
name, role, tier, colour and channel subscriptions, so that one round trip tells whether a token still holds and who its
owner is now. When Redis lost its data, everybody signs in again; when it does not answer, nobody is let in.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from accounts.errors import SessionOver
from accounts.model import Role, Tier, User
from infra.clock import milliseconds
from infra.stores.redis import Functions, Redis, asked

SOURCE = Path(__file__).with_name("sessions.lua")
MOST_PER_USER = 50
FIELDS = ("generation", "ends", "name", "role", "tier", "color", "channels")
Arguments = list[str | bytes | int | float]
GRACE = timedelta(seconds=10)  # a double click, two tabs, or an answer that was lost on its way


class RefreshReused(SessionOver):
    """A refresh token came a second time: one of two holders is a thief. To both of them the sign-in is just over."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The owner of a sign-in, as of now."""

    display_name: str
    role: Role
    tier: Tier
    color: str | None
    channels: dict[str, int]


@dataclass(frozen=True, slots=True)
class Rotated:
    """The generation to hand out, and when the sign-in ends."""

    generation: int
    ends: datetime


class Sessions:
    """The sign-ins of all users. Every method raises `Unavailable` when Redis does not answer."""

    def __init__(self, redis: Redis, *, life: timedelta) -> None:
        self._redis = redis
        self._functions = Functions(redis, SOURCE.read_text())
        self.life = life

    async def open(self, user: User, session_id: str, now: datetime) -> list[str]:
        """Begin a sign-in at generation 1; returns the oldest ones that had to go for it."""
        life_ms = int(self.life.total_seconds() * 1000)
        arguments: Arguments = [session_id, milliseconds(now), life_ms, MOST_PER_USER, *_profile(user)]
        return _texts(await self._functions.call("session_open", [_index(user.id)], arguments))

    async def standing(self, user_id: str, session_id: str, now: datetime) -> Standing:
        """Who the owner is now, in one round trip; `SessionOver` when the sign-in does not stand any more."""
        record = await asked(lambda: self._redis.hmget(f"{_index(user_id)}:{session_id}", FIELDS))
        if (standing := _standing(record, now)) is None:
            raise SessionOver
        return standing

    async def standings(self, sign_ins: Sequence[tuple[str, str]], now: datetime) -> list[Standing | None]:
        """The same for many `(user id, session id)`, in one round trip to each shard; None where it does not stand."""

        if not sign_ins:
            return []

        def ask() -> Awaitable[list[Sequence[Any]]]:
            pipeline = self._redis.pipeline()
            for user_id, session_id in sign_ins:
                pipeline.hmget(f"{_index(user_id)}:{session_id}", FIELDS)
            return pipeline.execute()

        return [_standing(record, now) for record in await asked(ask)]

    async def rotate(self, user: User, session_id: str, generation: int, now: datetime) -> Rotated:
        """Trade a generation for the next one; the one just traded is answered the same again within GRACE.

        Raises `SessionOver`, or `RefreshReused` and puts the sign-in out of force until `close` forgets it.
        """
        grace_ms = int(GRACE.total_seconds() * 1000)
        arguments: Arguments = [session_id, generation, milliseconds(now), grace_ms, *_profile(user)]
        outcome, *rest = await self._functions.call("session_rotate", [_index(user.id)], arguments)
        if outcome == b"reused":
            raise RefreshReused
        if outcome != b"ok":
            raise SessionOver
        return Rotated(int(rest[0]), datetime.fromtimestamp(int(rest[1]) / 1000, UTC))

    async def close(self, user_id: str, session_ids: Sequence[str]) -> list[str]:
        """End these sign-ins; returns those that stood."""
        if not session_ids:
            return []
        return _texts(await self._functions.call("session_close", [_index(user_id)], list(session_ids)))

    async def close_all(self, user_id: str) -> list[str]:
        """End every sign-in of a user; returns their ids."""
        return _texts(await self._functions.call("session_close", [_index(user_id)], []))

    async def standing_ids(self, user_id: str) -> list[str]:
        """Every sign-in of a user, the oldest first."""
        return _texts(await asked(lambda: self._redis.zrange(_index(user_id), 0, -1)))

    async def freshen(self, user_id: str, session_id: str, fresh: timedelta) -> None:
        """The password was asked for just now; that counts for so long."""
        await asked(lambda: self._redis.set(_fresh(user_id, session_id), b"1", px=fresh))

    async def is_fresh(self, user_id: str, session_id: str, now: datetime, fresh: timedelta) -> bool:
        """Whether the sign-in began, or was made fresh, within this time. One that is over is not."""
        began = await asked(lambda: self._redis.zscore(_index(user_id), session_id))
        if began is None:
            return False
        if milliseconds(now - fresh) <= began:
            return True
        return bool(await asked(lambda: self._redis.exists(_fresh(user_id, session_id))))

    async def take_over(self, user: User) -> None:
        """Every sign-in of the user carries the present name, role, tier, colour and channels from now on."""
        await self._functions.call("session_profile", [_index(user.id)], _profile(user))


def _standing(record: Sequence[Any], now: datetime) -> Standing | None:
    """Of what Redis has for `FIELDS`; None when that sign-in does not stand any more."""
    *known, color, channels = record
    generation, ends, name, role, tier = known
    if None in known or int(generation) == 0 or int(ends) <= milliseconds(now):
        return None
    return Standing(name.decode(), role.decode(), tier.decode(), color.decode() if color else None, _channels(channels))


def _index(user_id: str) -> str:
    return f"sessions:{{{user_id}}}"


def _fresh(user_id: str, session_id: str) -> str:
    return f"{_index(user_id)}:{session_id}:fresh"


def _profile(user: User) -> list[str]:
    channels = msgspec.json.encode(user.channels).decode() if user.channels else ""
    return [user.display_name, user.role, user.subscription_tier, user.chat_color or "", channels]


def _channels(written: bytes | None) -> dict[str, int]:
    """Empty for none; missing in sign-ins that are older than channel subscriptions."""
    return msgspec.json.decode(written, type=dict[str, int]) if written else {}


def _texts(values: Sequence[bytes]) -> list[str]:
    return [value.decode() for value in values]
