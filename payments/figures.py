"""The figures of a creator's dashboard, from the books and the rights: by day, by supporter and by stream.

Days are those of the creator's own time zone. Revenue is the creator's part, before tax; what was given back counts on
the day it went back, and what a dispute holds counts when it is lost. A subscriber is somebody with a right to the
channel, whoever paid for it; somebody with several is one, of the highest level.
"""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from infra.clock import Clock
from infra.errors import Invalid
from infra.stores.postgres import Connection, Postgres
from payments import figure_queries as queries
from payments.ledger.entries import PLATFORM, Source, owed_to, reserve_of
from payments.model import channel_scope

MOST_DAYS = 400  # a year, and the same weeks of the year before to compare with
MOST_SUPPORTERS = 100
MOST_STREAMS = 50
# Files that Python opens and PostgreSQL does not know.
NOT_ZONES = frozenset({"localtime", "posixrules", "Factory"})
OTHERS = ("posix/", "right/")


class Span(msgspec.Struct, frozen=True):
    """Days of a time zone; the last one is included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def begins(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        return _midnight(self.last + timedelta(days=1), self.zone)

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))


class Revenue(msgspec.Struct, frozen=True, kw_only=True):
    """What one source brought in one currency. `returned_minor` was given back or lost, of whatever day it came in."""

    source: Source
    currency: str
    earned_minor: int
    returned_minor: int
    sales: int


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day. The last three are by level ("1", "2", "3"); `subscribers` are those there when it ended, or now."""

    date: date
    revenue: list[Revenue]
    gained: dict[str, int]
    lost: dict[str, int]
    subscribers: dict[str, int]


class Supporter(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody and what they spent, before tax and less what they got back. No id and no name: the account is gone."""

    id: str | None
    name: str | None
    spent_minor: int
    sales: int
    last_at: datetime


class StreamSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What others know of a stream; None is unknown."""

    id: str
    title: str
    started_at: datetime
    ended_at: datetime | None
    peak_viewers: int | None
    average_viewers: float | None
    messages: int | None


class StreamFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A stream: who watched and wrote, and what it brought. `new_subscribers` came while it was on air."""

    stream: StreamSeen
    revenue: list[Revenue]
    new_subscribers: int


class StreamsSeen(Protocol):
    """Who knows about streams."""

    async def seen(self, creator_id: str, since: datetime, until: datetime, limit: int) -> Sequence[StreamSeen]:
        """Streams of a creator that began between these, the newest first."""
        ...


class Figures:
    """Reads figures."""

    def __init__(self, db: Postgres, streams: StreamsSeen, clock: Clock) -> None:
        self._db = db
        self._streams = streams
        self._clock = clock

    def span(self, zone: str, first: date | None, last: date | None) -> Span:
        """The days that are meant: the last 30 up to today, unless said otherwise. Raises `Invalid`."""
        found = zone_of(zone)
        last = last or self._clock().astimezone(found).date()
        try:
            span = Span(first or last - timedelta(days=29), last, found)
            bounds = span.begins, span.ends
        except OverflowError:
            raise Invalid(fields={"from": "is too far away"}) from None
        if bounds[0] >= bounds[1] or (span.last - span.first).days > MOST_DAYS:
            raise Invalid(fields={"from": f"must not be after `to`, nor more than {MOST_DAYS} days before it"})
        return span

    async def days(self, creator_id: str, span: Span) -> list[Day]:
        """Every day of it, also those without anything."""
        async with self._db.connection() as connection:
            sold = await connection.fetch(
                queries.REVENUE, creator_id, span.begins, span.ends, span.zone.key, _accounts(creator_id)
            )
            came = await connection.fetch(
                queries.SUBSCRIBERS, channel_scope(creator_id), span.begins, span.ends, span.zone.key, self._clock()
            )
        revenue: dict[date, list[Revenue]] = {}
        for row in sold:
            revenue.setdefault(row["day"], []).append(_revenue(row))
        moves = {(row["what"], row["day"], row["level"]): row["count"] for row in came}
        return list(_days(span, revenue, moves))

    async def supporters(self, creator_id: str, span: Span, currency: str, limit: int) -> list[Supporter]:
        """Who spent most comes first. Names are those of now: the books keep none."""
        accounts = [*_accounts(creator_id), PLATFORM]
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                queries.SUPPORTERS, creator_id, span.begins, span.ends, currency, accounts, min(limit, MOST_SUPPORTERS)
            )
        return [
            Supporter(
                id=row["id"] and str(row["id"]), name=row["name"], spent_minor=int(row["spent"]), sales=row["sales"],
                last_at=row["last_at"],
            )
            for row in rows
        ]  # fmt: skip

    async def streams(self, creator_id: str, span: Span, limit: int) -> list[StreamFigures]:
        """The newest first. Gifts and paid messages are a stream's; a subscription counts as a new subscriber."""
        seen = await self._streams.seen(creator_id, span.begins, span.ends, min(limit, MOST_STREAMS))
        async with self._db.connection() as connection:
            sold = await connection.fetch(
                queries.OF_STREAMS, creator_id, [one.id for one in seen], _accounts(creator_id)
            )
            came = await self._new_subscribers(connection, creator_id, seen)
        revenue: dict[str, list[Revenue]] = {}
        for row in sold:
            revenue.setdefault(str(row["stream_id"]), []).append(_revenue(row))
        return [
            StreamFigures(stream=one, revenue=revenue.get(one.id, []), new_subscribers=came.get(one.id, 0))
            for one in seen
        ]

    async def _new_subscribers(
        self, connection: Connection, creator_id: str, seen: Sequence[StreamSeen]
    ) -> dict[str, int]:
        if not seen:
            return {}
        now, began = self._clock(), [one.started_at for one in seen]
        rows = await connection.fetch(
            queries.NEW_SUBSCRIBERS, channel_scope(creator_id), min(began), [one.id for one in seen], began,
            [one.ended_at or now for one in seen],
        )  # fmt: skip
        return {str(row["stream_id"]): row["count"] for row in rows}


def zone_of(name: str) -> ZoneInfo:
    """`Europe/Berlin`; raises `Invalid`."""
    if name not in NOT_ZONES and not name.startswith(OTHERS):
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database is an OSError
            return ZoneInfo(name)
    raise Invalid(fields={"time_zone": "is not a time zone (like Europe/Berlin)"})


def _days(
    span: Span, revenue: dict[date, list[Revenue]], moves: dict[tuple[str, date | None, int], int]
) -> Iterator[Day]:
    levels = sorted({level for _, _, level in moves})
    there = {level: moves.get(("there", None, level), 0) for level in levels}
    for day in span:
        gained = {level: moves.get(("gained", day, level), 0) for level in levels}
        lost = {level: moves.get(("lost", day, level), 0) for level in levels}
        there = {level: there[level] + gained[level] - lost[level] for level in levels}
        yield Day(
            date=day, revenue=revenue.get(day, []), gained=_named(gained), lost=_named(lost), subscribers=_named(there)
        )


def _named(counts: dict[int, int]) -> dict[str, int]:
    return {str(level): count for level, count in counts.items() if count}


def _revenue(row: queries.Row) -> Revenue:
    return Revenue(
        source=row["source"], currency=row["currency"], earned_minor=int(row["earned"]),
        returned_minor=int(row["returned"]), sales=row["sales"],
    )  # fmt: skip


def _accounts(creator_id: str) -> list[str]:
    return [owed_to(creator_id), reserve_of(creator_id)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
