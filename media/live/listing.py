"""The list of live streams in pages: most viewers first, by a cursor that survives change.

The cursor holds the rank of the last stream shown, not a position: streams that start, stop or move elsewhere do not
shift the next page. Only a stream that itself crosses that rank between two requests is shown twice or missed.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from infra.errors import Invalid
from media.live.state import Stream


class Rank(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Sorts as shown: most viewers first, then by id, so that no two streams have the same rank."""

    minus_viewers: int
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some streams, each with its viewers, and where to go on (None: that was all)."""

    streams: list[tuple[Stream, int]]
    next_cursor: str | None


def page_of(streams: Sequence[Stream], viewers: Mapping[str, int], cursor: str | None, limit: int) -> Page:
    """The `limit` streams that follow the cursor. Raises `Invalid` for a cursor that is not ours."""
    after = _decode(cursor) if cursor else None
    ranks = {stream.id: Rank(-viewers.get(stream.id, 0), stream.id) for stream in streams}
    following = sorted(
        (stream for stream in streams if after is None or ranks[stream.id] > after),
        key=lambda stream: ranks[stream.id],
    )
    shown = following[:limit]
    next_cursor = _encode(ranks[shown[-1].id]) if len(following) > limit else None
    return Page([(stream, -ranks[stream.id].minus_viewers) for stream in shown], next_cursor)


def _encode(rank: Rank) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(rank)).decode().rstrip("=")


def _decode(cursor: str) -> Rank:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(packed, type=Rank)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Invalid("The cursor is not one of ours.", fields={"cursor": "must be a `next_cursor` of ours"}) from None
