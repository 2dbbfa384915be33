"""Who is connected to this node: found by socket, by user and by the moment their token ends."""

import asyncio
import contextlib
import heapq
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from accounts.events import ProfileChanged
from accounts.model import Identity
from infra.clock import Clock
from infra.errors import Unauthenticated
from realtime.disconnects import SESSION_OVER, TOKEN_EXPIRED, Disconnect
from realtime.errors import EventsTooFast
from realtime.wire.fanout import Member

EVENTS_PER_SECOND = 10.0
EVENT_BURST = 30.0
MAX_ROOMS = 10
REMEMBERED_NEWS = 1000  # of accounts; somebody connects within milliseconds


class SessionOver(Unauthenticated):
    code = "auth.session_over"
    message = "This sign-in is over. Refresh it or sign in again."


class Socket(Member, Protocol):
    """What a connection needs of the wire."""

    def offer(self, packet: str | bytes, *, droppable: bool = False) -> None: ...

    def dismiss(self, why: Disconnect, delay_ms: int = 0) -> None: ...

    def finish(self, reason: str, *last_words: str) -> None: ...


@dataclass(slots=True)
class Bucket:
    """So many events a second, with a burst; pure but for its own counts. Times are seconds of any one clock."""

    left: float = EVENT_BURST
    at: float = 0.0
    refused: int = 0  # in a row

    def take(self, now: float) -> None:
        """Count one event, or raise `EventsTooFast`."""
        self.left = min(EVENT_BURST, self.left + (now - self.at) * EVENTS_PER_SECOND)
        self.at = now
        if self.left < 1.0:
            self.refused += 1
            raise EventsTooFast(retry_after_ms=int((1.0 - self.left) / EVENTS_PER_SECOND * 1000) + 1)
        self.refused = 0
        self.left -= 1.0


@dataclass(slots=True, eq=False)
class Connection:
    """One client that came in. `viewer` is who it counts as, however many connections that one has."""

    sid: str
    socket: Socket
    identity: Identity | None
    device: str | None
    bucket: Bucket = field(default_factory=Bucket)
    rooms: set[str] = field(default_factory=set)
    desks: set[str] = field(default_factory=set)  # rooms of which it hears what only moderators do
    watches_studio: bool = False  # hears how the making of the user's videos goes

    @property
    def viewer(self) -> str:
        if self.identity is not None:
            return f"user:{self.identity.user_id}"
        return f"device:{self.device}" if self.device else f"socket:{self.sid}"


class Connections:
    """All of them. Closes those whose token ends (`run`) or whose session is revoked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: dict[str, Connection] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._of_user: dict[str, dict[str, Connection]] = {}
        self._ends: list[tuple[datetime, int, str]] = []
        self._order = itertools.count()
        self._earlier_end = asyncio.Event()
        self._revocations: deque[tuple[int, str, frozenset[str] | None]] = deque(maxlen=REMEMBERED_NEWS)
        self._profiles: deque[tuple[int, ProfileChanged]] = deque(maxlen=REMEMBERED_NEWS)
        self._heard = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._all.values()))

    def find(self, sid: str) -> Connection | None:
        return self._all.get(sid)

    def of_user(self, user_id: str) -> list[Connection]:
        return list(self._of_user.get(user_id, {}).values())

    @property
    def moment(self) -> int:
        """Pass it to `add` when who is connecting was asked at this moment."""
        return self._heard

    def add(self, connection: Connection, *, since: int) -> None:
        """Take in a client as it is by now; raises `SessionOver` when its session was revoked while we asked."""
        identity = connection.identity
        if identity is not None:
            if any(n >= since and _concerns(identity, user, ids) for n, user, ids in self._revocations):
                raise SessionOver
            for n, profile in self._profiles:
                if n >= since and profile.user_id == identity.user_id:
                    _take_over(connection, profile)
            self._of_user.setdefault(identity.user_id, {})[connection.sid] = connection
            heapq.heappush(self._ends, (identity.expires_at, next(self._order), connection.sid))
            if self._ends[0][2] == connection.sid:
                self._earlier_end.set()
        self._all[connection.sid] = connection
        self._empty.clear()

    def remove(self, connection: Connection) -> None:
        self._all.pop(connection.sid, None)
        if not self._all:
            self._empty.set()
        if connection.identity is not None:
            same = self._of_user.get(connection.identity.user_id, {})
            same.pop(connection.sid, None)
            if not same:
                self._of_user.pop(connection.identity.user_id, None)

    def revoke(self, user_id: str, session_ids: Sequence[str] | None) -> None:
        """End every connection of these sessions; None means all of the user's."""
        sessions = None if session_ids is None else frozenset(session_ids)
        self._revocations.append((self._heard, user_id, sessions))
        self._heard += 1
        for connection in self.of_user(user_id):
            if connection.identity is not None and _concerns(connection.identity, user_id, sessions):
                connection.socket.dismiss(SESSION_OVER)

    def rename(self, profile: ProfileChanged) -> None:
        """Take over a new name, role, tier, colour or channel subscriptions."""
        self._profiles.append((self._heard, profile))
        self._heard += 1
        for connection in self.of_user(profile.user_id):
            _take_over(connection, profile)

    async def all_gone(self, seconds: float) -> None:
        """Wait until nobody is connected, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()

    async def run(self) -> None:
        """Dismiss whoever's token ends, until cancelled."""
        while True:
            self._earlier_end.clear()
            wait = self._dismiss_expired()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._earlier_end.wait()

    def _dismiss_expired(self) -> float | None:
        """Seconds until the next token ends; None when nobody has one."""
        now = self._clock()
        while self._ends:
            moment, _, sid = self._ends[0]
            if moment > now and sid in self._all:
                return (moment - now).total_seconds()
            heapq.heappop(self._ends)
            if connection := self._all.get(sid):
                connection.socket.dismiss(TOKEN_EXPIRED)
        return None


def _take_over(connection: Connection, profile: ProfileChanged) -> None:
    if connection.identity is not None:
        connection.identity = msgspec.structs.replace(
            connection.identity,
            display_name=profile.display_name,
            role=profile.role,
            subscription_tier=profile.subscription_tier,
            chat_color=profile.chat_color,
            channels=profile.channels,
        )


def _concerns(identity: Identity, user_id: str, sessions: frozenset[str] | None) -> bool:
    return identity.user_id == user_id and (sessions is None or identity.session_id in sessions)
