"""What the real-time layer needs from others, and what it offers them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from accounts.model import Identity
from media.events import Audience, StreamStatus

Identify = Callable[[str], Awaitable[Identity]]  # raises Unauthenticated when the token does not hold


class StreamSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a room shows of its stream. `at` is when this was true; of two snapshots the later one counts."""

    id: str
    title: str
    category: str | None
    status: StreamStatus
    creator_id: str
    creator_name: str
    visibility: Audience = "public"
    at: datetime


class StreamLookup(Protocol):
    """The truth about streams; asked only when a room is cold."""

    async def snapshot(self, stream_id: str) -> StreamSnapshot | None:
        """None when there is no such stream; raises `Unavailable` when nobody can say."""
        ...


class ViewerCounts(Protocol):
    """How many watch."""

    async def counts(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        """A number for every id that was asked for; 0 where nobody watches or the count cannot be had."""
        ...

    async def peaks(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        """The most who ever watched at once, for every id; 0 when that cannot be had. Kept for a day."""
        ...
