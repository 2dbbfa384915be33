"""Members of premium rooms are looked at again now and then, so that a node that hears nothing from the bus does not
keep who may not be there until their token ends.

Each node asks for its own members: nothing while it has no premium room, else one round trip to each shard of Redis for
`BATCH` members. Whoever it cannot ask about stays for `UNSURE_SECONDS` after they were last known to have the right;
then they are put out, since nobody can say that they still have it. Nothing of this is on the way of a message.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from accounts.model import Identity
from infra.errors import Unavailable
from infra.forever import forever
from infra.logs import get_logger
from realtime.connections import Connection, Connections
from realtime.disconnects import SESSION_OVER
from realtime.errors import PremiumRoom
from realtime.handlers.room import RoomHandlers
from realtime.room.entering import is_guarded, require_entering
from realtime.room.local import Room
from realtime.room.rooms import Rooms

BATCH = 500
ASK_SECONDS = 5.0

log = get_logger(__name__)

# Who they are by now, in their order; None for those whose sign-in is over. Raises `Unavailable`.
Present = Callable[[Sequence[Identity]], Awaitable[Sequence[Identity | None]]]


@dataclass(frozen=True, slots=True)
class Recheck:
    """Who is asked; how often, a fifth sooner or later; for how long nobody need be able to say."""

    present: Present
    every_seconds: float = 30.0
    unsure_seconds: float = 300.0


class Rechecking:
    """`run` until cancelled."""

    def __init__(self, connections: Connections, rooms: Rooms, entering: RoomHandlers, how: Recheck) -> None:
        self._connections = connections
        self._rooms = rooms
        self._entering = entering
        self._how = how
        self._sure_at: dict[str, float] = {}  # by socket, when they were last known to have the right

    async def run(self) -> None:
        # Nodes that start together do not ask together.
        await asyncio.sleep(random.uniform(0, self._how.every_seconds / 5))  # noqa: S311 - no secret
        await forever("rooms.recheck", self.round, every_seconds=self._how.every_seconds * random.uniform(0.8, 1.2))  # noqa: S311

    async def round(self) -> None:
        """Ask once about everybody."""
        guarded = {room.id: room for room in self._rooms if is_guarded(room.stream)}
        members = [
            who for who in self._connections if who.identity is not None and not guarded.keys().isdisjoint(who.rooms)
        ]
        now = asyncio.get_running_loop().time()
        self._sure_at = {who.sid: self._sure_at.get(who.sid, now) for who in members}
        for first in range(0, len(members), BATCH):
            try:
                await self._ask(members[first : first + BATCH])
            except (Unavailable, TimeoutError) as away:
                log.error("rooms.recheck_unsure", members=len(members), why=type(away).__name__)
                break  # the others would wait as long for nothing
        self._put_out_unsure(members, guarded, now)

    async def _ask(self, some: Sequence[Connection]) -> None:
        before = [who.identity for who in some if who.identity is not None]
        async with asyncio.timeout(ASK_SECONDS):
            found = await self._how.present(before)
        now = asyncio.get_running_loop().time()
        for who, was, present in zip(some, before, found, strict=True):
            self._sure_at[who.sid] = now
            if who.identity is not was:
                continue  # we heard of a change while we asked: what we heard is newer
            if present is None:
                who.socket.dismiss(SESSION_OVER)
            elif present != was:
                who.identity = present
                self._entering.identity_changed(who)

    def _put_out_unsure(self, members: Sequence[Connection], guarded: dict[str, Room], now: float) -> None:
        for who in members:
            if now - self._sure_at[who.sid] < self._how.unsure_seconds or who.identity is None:
                continue
            # Whose room it is nobody need say.
            nobody = msgspec.structs.replace(who.identity, role="free", subscription_tier="free")
            for room in [guarded[stream_id] for stream_id in who.rooms if stream_id in guarded]:
                try:
                    require_entering(room.stream, nobody)
                except PremiumRoom:
                    self._entering.put_out(who, room, Unavailable())
