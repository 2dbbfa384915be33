"""What slash commands leave out, what messages were, and since when people follow: looked up for those who act."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from infra.clock import Clock, milliseconds
from infra.stores.postgres import Postgres
from realtime.emotes import builtin_codes, codes_in, only_emotes
from realtime.moderation.bodies import UNDO_SECONDS
from realtime.moderation.follows import Follows
from realtime.moderation.held import HeldQueue
from realtime.moderation.repository import is_id
from realtime.room.log import RoomLog
from realtime.room.recent import Recent
from realtime.room.rooms import Rooms

FRESH_MS = 60_000
MAX_FOLLOWERS = 20_000
EMOTES_SECONDS = 5.0
MAX_CHANNELS = 1000


class LogMessages:
    """`realtime.moderation.actions.Messages` over the room's log: the newest 1,000 entries and all unarchived ones."""

    def __init__(self, room_log: RoomLog) -> None:
        self._log = room_log

    async def find(self, stream_id: str, user_id: str, message_id: str) -> dict[str, Any] | None:
        found = await self._log.find(stream_id, user_id, message_id, removed=False)
        return None if found is None else msgspec.json.decode(found, type=dict[str, Any])


class KnownFollows:
    """`Follows.since` for every message of a followers-only chat: who follows is remembered for a minute, who does not
    is asked for again, as they may do so at any moment."""

    def __init__(self, follows: Follows, clock: Clock) -> None:
        self._follows = follows
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    async def since(self, channel_id: str, user_id: str) -> int | None:
        now, name = milliseconds(self._clock()), (channel_id, user_id)
        since, asked_at = self._known.get(name, (0, -FRESH_MS))
        if asked_at + FRESH_MS > now:
            return since
        found = await self._follows.since(channel_id, user_id)
        self._known.pop(name, None)
        if found is not None:
            self._known[name] = (found, now)
            if len(self._known) > MAX_FOLLOWERS:
                self._known.popitem(last=False)
        return found


class KnownEmotes:
    """Whether a text is nothing but emotes of a channel. `ask` tells the codes a channel brings along; they are
    remembered for some seconds, as in emote-only chat every message needs them."""

    def __init__(self, ask: Callable[[str], Awaitable[frozenset[str]]]) -> None:
        self._codes = Recent(ask, EMOTES_SECONDS, MAX_CHANNELS)

    async def only(self, channel_id: str, text: str) -> bool:
        written = frozenset(codes_in(text))
        if not only_emotes(text, written):
            return False
        own = written - builtin_codes()
        return not own or own <= await self._codes.get(channel_id)


def emotes_of(db: Postgres) -> Callable[[str], Awaitable[frozenset[str]]]:
    """For `KnownEmotes`."""

    async def ask(channel_id: str) -> frozenset[str]:
        async with db.connection() as connection:
            rows = await connection.fetch("SELECT code FROM channel_emotes WHERE channel_id = $1", channel_id)
        return frozenset(row["code"] for row in rows)

    return ask


class RoomFacts:
    """`realtime.handlers.commands.RoomFacts` of one node."""

    def __init__(self, rooms: Rooms, held: HeldQueue, db: Postgres, clock: Clock) -> None:
        self._rooms = rooms
        self._held = held
        self._db = db
        self._clock = clock

    async def open_poll(self, stream_id: str) -> str | None:
        room = self._rooms.find(stream_id)
        return room.scene.poll.id if room is not None and room.scene.poll is not None else None

    async def last_message(self, stream_id: str, user_id: str) -> str | None:
        room = self._rooms.find(stream_id)
        line = room.lines.newest_of(user_id.encode()) if room is not None else None
        return line.mark.partition(b" ")[2].decode() if line is not None else None

    async def last_action(self, stream_id: str, actor_id: str) -> str | None:
        """Of the last ten seconds, if there is one: an undo without a name means what was just done."""
        room = self._rooms.find(stream_id)
        if room is None or not is_id(room.stream.creator_id) or not is_id(actor_id):
            return None
        async with self._db.connection() as connection:
            found = await connection.fetchval(
                "SELECT id FROM moderation_log l WHERE channel_id = $1 AND actor_id = $2 AND undoes IS NULL "
                "AND extract(epoch FROM at) * 1000 > $3 "
                "AND NOT EXISTS (SELECT 1 FROM moderation_log u WHERE u.undoes = l.id) "
                # What an action brings along (its message is unpinned) is recorded after it, at the same moment.
                "ORDER BY at DESC, revision LIMIT 1",
                room.stream.creator_id, actor_id, milliseconds(self._clock()) - UNDO_SECONDS * 1000,
            )  # fmt: skip
        return str(found) if found is not None else None

    async def claimed(self, stream_id: str, moderator_id: str) -> str | None:
        for held in await self._held.list(stream_id):
            if held.claimed_by is not None and held.claimed_by.id == moderator_id:
                return held.id
        return None
