"""The dashboard's figures: what the books and the rights say, by days of the creator's own time zone."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.clock import new_id
from infra.errors import Invalid
from infra.stores.postgres import Postgres
from payments import figure_queries as queries
from payments.figures import MOST_DAYS, Figures, Span, StreamSeen, zone_of
from payments.ledger.entries import owed_to
from payments.model import Right, channel_scope
from payments.rights import standing
from tests.payments.connect import connect
from tests.payments.earning import BEGAN, Earning, earning

DAY = BEGAN.date()
SINCE = BEGAN - timedelta(days=10)
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass
class Seen:
    """Streams as the platform would tell of them."""

    streams: list[StreamSeen] = field(default_factory=list)

    async def seen(self, creator_id: str, since: datetime, until: datetime, limit: int) -> Sequence[StreamSeen]:
        return [one for one in self.streams if since <= one.started_at < until][:limit]


@pytest.fixture
async def world(db: Postgres) -> AsyncIterator[Earning]:
    async with connect() as stripe, earning(db, stripe.url) as world:
        yield world


def figures(world: Earning, *streams: StreamSeen) -> Figures:
    return Figures(world.db, Seen(list(streams)), world.clock)


async def give(world: Earning, right: Right) -> None:
    async with world.db.connection() as connection:
        await connection.execute(
            "INSERT INTO rights (user_id, scope, source, level, starts_at, until) VALUES ($1, $2, $3, $4, $5, $6)",
            right.user_id, right.scope, right.source, right.level, right.starts_at, right.until,
        )  # fmt: skip


def right(user_id: str, creator_id: str, **changes: Any) -> Right:
    usual: dict[str, Any] = {"level": 1, "starts_at": BEGAN, "until": None, "source": f"subscription:{new_id()}"}
    return Right(user_id=user_id, scope=channel_scope(creator_id), **{**usual, **changes})


async def test_each_day_has_what_each_source_brought_and_what_went_back(world: Earning) -> None:
    creator_id, other_id = await world.creator(), await world.creator()
    first = await world.earn(creator_id, 500)
    await world.earn(creator_id, 300)
    await world.earn(creator_id, 200, source="gift", currency="usd")
    await world.earn(other_id, 9000)
    world.clock.now += timedelta(days=2)
    await world.learn(first, 100)
    await world.earn(creator_id, 700, source="paid_message", disputed=True)
    days = await figures(world).days(creator_id, Span(DAY, DAY + timedelta(days=2), ZoneInfo("UTC")))
    told = [
        [(one.source, one.currency, one.earned_minor, one.returned_minor, one.sales) for one in day.revenue]
        for day in days
    ]
    assert told == [
        [("gift", "usd", 200, 0, 1), ("subscription", "eur", 800, 0, 2)],
        [],
        [("paid_message", "eur", 700, 0, 1), ("subscription", "eur", 0, 100, 0)],
    ]


async def test_a_day_begins_at_the_creators_own_midnight(world: Earning) -> None:
    creator_id = await world.creator()
    world.clock.now = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
    await world.earn(creator_id, 500)
    made = figures(world)
    (here,) = await made.days(creator_id, made.span("Europe/Berlin", date(2026, 5, 5), date(2026, 5, 5)))
    (there,) = await made.days(creator_id, made.span("UTC", date(2026, 5, 5), date(2026, 5, 5)))
    assert ([one.earned_minor for one in here.revenue], there.revenue) == ([500], [])


async def test_days_of_23_and_25_hours_are_days(world: Earning) -> None:
    made, creator_id = figures(world), await world.creator()
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        span = made.span("Europe/Berlin", day, day)
        assert span.ends - span.begins == timedelta(hours=hours)
        assert len(await made.days(creator_id, span)) == 1


async def test_ranges_are_bounded_and_zones_exist(world: Earning) -> None:
    made = figures(world)
    assert len(list(made.span("UTC", None, None))) == 30
    assert len(list(made.span("UTC", DAY - timedelta(days=MOST_DAYS), DAY))) == MOST_DAYS + 1
    for zone, first, last in (
        ("UTC", DAY, DAY - timedelta(days=1)),
        ("UTC", DAY - timedelta(days=MOST_DAYS + 1), DAY),
        ("UTC", None, date.min),
        ("UTC", None, date.max),
        ("Nowhere/Land", None, None),
        ("../../etc/passwd", None, None),
        ("", None, None),
        ("Europe", None, None),
        ("\0", None, None),
    ):
        with pytest.raises(Invalid):
            made.span(zone, first, last)


async def test_subscribers_come_and_go_and_are_counted_once(world: Earning) -> None:
    creator_id = await world.creator()
    ada, bea, cem = [await world.person() for _ in range(3)]
    await give(world, right(ada, creator_id, starts_at=BEGAN - timedelta(days=30)))
    await give(world, right(bea, creator_id, until=BEGAN + timedelta(days=1), source="gift:1"))
    await give(world, right(bea, creator_id, level=2, starts_at=BEGAN + timedelta(hours=5)))
    await give(world, right(cem, creator_id, until=BEGAN + timedelta(days=1)))
    world.clock.now += timedelta(days=3)
    days = await figures(world).days(creator_id, Span(DAY, DAY + timedelta(days=1), ZoneInfo("UTC")))
    assert [(day.gained, day.lost, day.subscribers) for day in days] == [
        ({"1": 1, "2": 1}, {}, {"1": 2, "2": 1}), ({}, {"1": 1}, {"1": 1, "2": 1}),
    ]  # fmt: skip


lives = st.lists(
    st.tuples(
        st.integers(0, 2),  # who
        st.sampled_from(["gift", "gift", "subscription", "comp"]),
        st.integers(1, 2),  # level
        st.integers(-40, 60),  # begins after so many hours
        st.one_of(st.none(), st.integers(0, 60)),  # lasts so many
    ),
    max_size=9,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=lives)
async def test_however_rights_overlap_a_day_ends_with_those_who_have_one(
    world: Earning, lives: list[tuple[int, str, int, int, int | None]]
) -> None:
    world.clock.now = BEGAN + timedelta(days=30)
    creator_id = await world.creator()
    people = [await world.person() for _ in range(3)]
    rights: dict[str, list[Right]] = {user_id: [] for user_id in people}
    for number, (who, kind, level, begins, lasts) in enumerate(lives):
        starts_at = BEGAN + timedelta(hours=begins)
        until = None if lasts is None else starts_at + timedelta(hours=lasts)
        one = right(people[who], creator_id, source=f"{kind}:{number}", level=level, starts_at=starts_at, until=until)
        rights[people[who]].append(one)
        await give(world, one)
    span = Span(DAY - timedelta(days=1), DAY + timedelta(days=12), BERLIN)
    for day in await figures(world).days(creator_id, span):
        ends = datetime.combine(day.date + timedelta(days=1), time(), BERLIN)
        just_before = ends - timedelta(microseconds=1)
        there = [user_id for user_id in people if creator_id in standing(rights[user_id], just_before).channels]
        assert sum(day.subscribers.values()) == len(there), day


async def test_supporters_are_ordered_by_what_they_spent_and_the_gone_are_nobody(world: Earning) -> None:
    creator_id = await world.creator()
    ada, bea = await world.person("Ada"), await world.person("Bea")
    await world.earn(creator_id, 500, payer_id=ada)
    await world.earn(creator_id, 900, payer_id=bea)
    await world.earn(creator_id, 600, payer_id=ada, source="gift", refunded_minor=50)
    await world.earn(creator_id, 100, payer_id=new_id())
    await world.earn(creator_id, 200, payer_id=new_id())
    await world.earn(creator_id, 7000, payer_id=bea, currency="usd")
    await world.earn(creator_id, 400, payer_id=await world.person("Cem"), refunded_minor=400)
    made = figures(world)
    told = await made.supporters(creator_id, made.span("UTC", None, None), "eur", 10)
    assert [(one.id, one.name, one.spent_minor, one.sales) for one in told] == [
        (ada, "Ada", 1050, 2), (bea, "Bea", 900, 1), (None, None, 300, 2),
    ]  # fmt: skip
    assert len(await made.supporters(creator_id, made.span("UTC", None, None), "eur", 1)) == 1


async def test_a_stream_has_its_revenue_beside_who_watched(world: Earning) -> None:
    creator_id, other_id = await world.creator(), await world.creator()
    stream = StreamSeen(
        id=new_id(), title="Sea", started_at=BEGAN, ended_at=BEGAN + timedelta(hours=2), peak_viewers=10,
        average_viewers=7.5, messages=99,
    )  # fmt: skip
    quiet = StreamSeen(
        id=new_id(), title="Hush", started_at=BEGAN + timedelta(hours=3), ended_at=None, peak_viewers=None,
        average_viewers=None, messages=None,
    )  # fmt: skip
    await world.earn(creator_id, 500, source="paid_message", stream_id=stream.id)
    await world.earn(creator_id, 400, source="gift", stream_id=stream.id, refunded_minor=100)
    await world.earn(creator_id, 999)
    await world.earn(other_id, 999, source="gift", stream_id=stream.id)
    await give(world, right(await world.person(), creator_id, starts_at=BEGAN + timedelta(hours=1)))
    await give(world, right(await world.person(), creator_id, starts_at=BEGAN - timedelta(hours=1)))
    made = figures(world, stream, quiet)
    first, second = await made.streams(creator_id, made.span("UTC", None, None), 10)
    assert [(one.source, one.earned_minor, one.returned_minor) for one in first.revenue] == [
        ("gift", 400, 100), ("paid_message", 500, 0),
    ]  # fmt: skip
    assert (first.stream, first.new_subscribers) == (stream, 1)
    assert (second.revenue, second.new_subscribers) == ([], 0)


@pytest.mark.parametrize(
    ("query", "index", "arguments"),
    [
        (queries.REVENUE, "journal_of_creator", ["CREATOR", SINCE, BEGAN, "UTC", ["ACCOUNT"]]),
        (queries.SUPPORTERS, "journal_of_creator", ["CREATOR", SINCE, BEGAN, "eur", ["ACCOUNT"], 5]),
        (queries.OF_STREAMS, "journal_of_stream", ["CREATOR", ["CREATOR"], ["ACCOUNT"]]),
        (queries.SUBSCRIBERS, "rights_of_scope", ["x", BEGAN, BEGAN, "UTC", BEGAN]),
    ],
)
async def test_every_question_goes_by_an_index(world: Earning, query: str, index: str, arguments: list[Any]) -> None:
    creator_id = await world.creator()
    async with world.db.transaction() as connection:
        await connection.execute(_MANY, creator_id, owed_to(creator_id), BEGAN)
        await connection.execute("ANALYZE journal, journal_lines, rights, users")
        known = {"CREATOR": creator_id, "ACCOUNT": owed_to(creator_id)}
        asked = [[known[name] for name in one] if isinstance(one, list) else known.get(one, one) for one in arguments]
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *asked))
    assert index in plan
    assert "Seq Scan on journal j" not in plan
    assert "Seq Scan on rights" not in plan


# Enough of others' for a plan to show what it would do with much.
_MANY = """
WITH made AS (
    INSERT INTO journal (cause, kind, about, currency, lines, source, creator_id, stream_id, at, recorded_at)
    SELECT 'payment:' || n || ':paid', 'payment', 'payment:' || n, 'eur', 2, 'gift',
        CASE n % 2 WHEN 0 THEN $1::uuid ELSE gen_random_uuid() END, gen_random_uuid(),
        $3::timestamptz - n * interval '1 hour', $3 FROM generate_series(1, 3000) AS n RETURNING id
), booked AS (
    INSERT INTO journal_lines SELECT id, n, CASE n WHEN 1 THEN 'stripe' ELSE $2 END, CASE n WHEN 1 THEN 1 ELSE -1 END,
        'eur', NULL FROM made, generate_series(1, 2) AS n
)
INSERT INTO rights (user_id, scope, source, level, starts_at)
SELECT $1::uuid, 'channel:' || gen_random_uuid(), 'gift:' || n, 1, $3 FROM generate_series(1, 3000) AS n
"""


async def test_every_time_zone_that_is_taken_is_one_that_the_database_knows(world: Earning) -> None:
    odd = ("localtime", "posixrules", "Factory", "leapseconds", "tzdata.zi", "posix/Europe/Berlin", "right/UTC", "UTC")
    async with world.db.connection() as connection:
        known = {row["name"] for row in await connection.fetch("SELECT name FROM pg_timezone_names")}
    for name in (*available_timezones(), *odd):
        with contextlib.suppress(Invalid):
            assert zone_of(name).key in known, name


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", date(2026, 3, 29)), ("Europe/Berlin", date(2026, 10, 25)),
        ("America/Havana", date(2026, 3, 8)), ("America/Havana", date(2026, 11, 1)),  # midnight is left out, or twice
        ("America/Santiago", date(2026, 4, 5)), ("America/Santiago", date(2026, 9, 6)),
        ("Africa/Cairo", date(2026, 4, 24)), ("Africa/Cairo", date(2026, 10, 30)), ("Asia/Beirut", date(2026, 3, 29)),
        ("Pacific/Kiritimati", date(2026, 12, 31)), ("UTC", date(2028, 2, 29)),
    ],
)  # fmt: skip
async def test_days_begin_where_the_database_says_whatever_the_clocks_do(world: Earning, zone: str, day: date) -> None:
    for one in (day - timedelta(days=1), day, day + timedelta(days=1)):
        span = Span(one, one, zone_of(zone))
        async with world.db.connection() as connection:
            dates = [
                await connection.fetchval("SELECT ($1::timestamptz AT TIME ZONE $2)::date", moment, zone)
                for moment in (span.begins - timedelta(seconds=1), span.begins, span.ends - timedelta(seconds=1))
            ]
        assert dates == [one - timedelta(days=1), one, one]
