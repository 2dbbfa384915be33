"""The emotes a channel brings along: rows in PostgreSQL, pictures in S3 under names of our own making.

A picture is stored before its row and removed after it, so a row always has its picture; what a crash leaves over is a
file that nobody names.
"""

import asyncio
import hashlib
import re
from datetime import datetime

import asyncpg
from msgspec import Struct

from infra.clock import Clock, new_id
from infra.errors import NotFound, Unavailable
from infra.logs import get_logger
from infra.stores.objects import Objects
from infra.stores.postgres import Connection, Postgres
from realtime.emote_pictures import Picture, PictureType, picture_of
from realtime.emotes import CODE, builtin_codes
from realtime.moderation.errors import ChannelNotFound, EmoteInvalid, TooManyOfThese

MOST = 60
AT_ONCE = 2  # pictures being decoded: each may hold 63 MB and a core

_EMOTE = "code, content_type, width, height, bytes, sha256, created_at"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

log = get_logger(__name__)


class EmoteNotFound(NotFound):
    code = "emote.not_found"
    message = "There is no such emote in this channel."


class ChannelEmote(Struct, frozen=True, kw_only=True):
    """One emote; `sha256` is that of its picture, `bytes` how large that is."""

    code: str
    content_type: PictureType
    width: int
    height: int
    bytes: int
    sha256: str
    created_at: datetime


class ChannelEmotes:
    """Every method raises `Unavailable` when a store does not answer."""

    def __init__(self, db: Postgres, objects: Objects, clock: Clock) -> None:
        self._db = db
        self._objects = objects
        self._clock = clock
        self._decoding = asyncio.Semaphore(AT_ONCE)

    async def all(self, channel_id: str) -> list[ChannelEmote]:
        """By code; empty for who has none."""
        if not _UUID.fullmatch(channel_id):
            return []
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {_EMOTE} FROM channel_emotes WHERE channel_id = $1 ORDER BY code",  # noqa: S608 - constant
                channel_id,
            )
        return [_emote(row) for row in rows]

    async def codes(self, channel_id: str) -> frozenset[str]:
        """What may be written here: the channel's own and the built-in ones."""
        return builtin_codes() | {emote.code for emote in await self.all(channel_id)}

    async def put(self, channel_id: str, by_user_id: str, code: str, data: bytes) -> ChannelEmote:
        """Add an emote, or give it another picture. Raises `EmoteInvalid`, `TooManyOfThese`, `ChannelNotFound`."""
        if not re.fullmatch(CODE, code) or code in builtin_codes():
            raise EmoteInvalid(reason="code", taken=code in builtin_codes())
        if not _UUID.fullmatch(channel_id):
            raise ChannelNotFound
        async with self._decoding:
            picture = await asyncio.to_thread(picture_of, data)
        key = f"emotes/{channel_id}/{new_id()}"
        await self._objects.call("put_object", Key=key, Body=picture.data, ContentType=picture.content_type)
        try:
            emote, replaced = await self._store(channel_id, by_user_id, code, picture, key)
        except BaseException:
            await self._forget(key)
            raise
        if replaced:
            await self._forget(replaced)
        return emote

    async def remove(self, channel_id: str, code: str) -> None:
        """Raises `EmoteNotFound`. Messages keep the code, as text."""
        async with self._db.connection() as connection:
            key = await connection.fetchval(
                "DELETE FROM channel_emotes WHERE channel_id = $1 AND code = $2 RETURNING object_key",
                _known(channel_id), code,
            )  # fmt: skip
        if key is None:
            raise EmoteNotFound
        await self._forget(key)

    async def picture(self, channel_id: str, code: str) -> tuple[ChannelEmote, bytes]:
        """The emote and its file; raises `EmoteNotFound`."""
        async with self._db.connection() as connection:
            row = await connection.fetchrow(
                f"SELECT {_EMOTE}, object_key FROM channel_emotes "  # noqa: S608 - constant
                "WHERE channel_id = $1 AND code = $2",
                _known(channel_id), code,
            )  # fmt: skip
        if row is None:
            raise EmoteNotFound
        try:
            return _emote(row), await self._objects.read(row["object_key"])
        except NotFound:
            raise EmoteNotFound from None  # replaced or removed since

    async def _store(
        self, channel_id: str, by_user_id: str, code: str, picture: Picture, key: str
    ) -> tuple[ChannelEmote, str | None]:
        """The row, and the key of the picture that it had before."""
        async with self._db.transaction() as connection:
            # One at a time for a channel, so that the count holds.
            if not await connection.fetchval("SELECT true FROM users WHERE id = $1 FOR NO KEY UPDATE", channel_id):
                raise ChannelNotFound
            before = await _key_of(connection, channel_id, code)
            if before is None and await _count(connection, channel_id) >= MOST:
                raise TooManyOfThese(max=MOST)
            row = await connection.fetchrow(
                "INSERT INTO channel_emotes (channel_id, code, object_key, content_type, width, height, bytes, sha256, "  # noqa: S608
                "created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                "ON CONFLICT (channel_id, code) DO UPDATE SET object_key = $3, content_type = $4, width = $5, "
                f"height = $6, bytes = $7, sha256 = $8, created_by = $9, created_at = $10 RETURNING {_EMOTE}",
                channel_id, code, key, picture.content_type, picture.width, picture.height, len(picture.data),
                hashlib.sha256(picture.data).hexdigest(), by_user_id, self._clock(),
            )  # fmt: skip
        if row is None:  # an upsert that returns nothing does not exist
            raise ChannelNotFound
        return _emote(row), before

    async def _forget(self, key: str) -> None:
        """Remove a picture nobody names; one that cannot be reached just now stays, unnamed."""
        try:
            await self._objects.call("delete_object", Key=key)
        except Unavailable as away:
            log.info("emote.left_over", key=key, code=away.code)


def _known(channel_id: str) -> str:
    if not _UUID.fullmatch(channel_id):
        raise EmoteNotFound
    return channel_id


async def _key_of(connection: Connection, channel_id: str, code: str) -> str | None:
    key: str | None = await connection.fetchval(
        "SELECT object_key FROM channel_emotes WHERE channel_id = $1 AND code = $2", channel_id, code
    )
    return key


async def _count(connection: Connection, channel_id: str) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM channel_emotes WHERE channel_id = $1", channel_id))


def _emote(row: asyncpg.Record) -> ChannelEmote:
    return ChannelEmote(
        code=row["code"],
        content_type=row["content_type"],
        width=row["width"],
        height=row["height"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        created_at=row["created_at"],
    )
