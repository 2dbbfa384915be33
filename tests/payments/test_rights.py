"""What rows of rights come to, whatever their order, now and at every later moment."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.model import Gift, Plan, Right, Standing, channel_scope
from payments.plans import load_plans
from payments.rights import MOST_CHANNELS, months_after, next_change, right_of_comp, right_of_gift, standing

NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CLEO, DORA = "01890000-0000-7000-8000-00000000000c", "01890000-0000-7000-8000-00000000000d"
FREE = Standing(tier="free", channels={})
PREMIUM = Standing(tier="premium", channels={})


def right(
    source: str,
    scope: str = "premium",
    *,
    level: int = 1,
    begins: float = 0,
    days: float | None = 30,
    grace: bool = False,
) -> Right:
    """From so many days after `NOW`, for so many."""
    starts_at = NOW + begins * DAY
    until = None if days is None else starts_at + days * DAY
    return Right(
        user_id="ada", scope=scope, source=source, level=level, starts_at=starts_at, until=until, in_grace=grace
    )  # fmt: skip


def after(days: float, *rights: Right) -> Standing:
    return standing(rights, NOW + days * DAY)


def test_a_right_stands_from_its_beginning_until_its_end() -> None:
    premium = right("subscription:s1", begins=1, days=30)
    assert [after(days, premium) for days in (0.99, 1, 30.99, 31)] == [FREE, PREMIUM, PREMIUM, FREE]
    assert after(1e4, right("comp:c1", days=None)) == PREMIUM
    assert after(0) == FREE


def test_the_highest_level_counts_and_falls_back_when_it_ends() -> None:
    """An upgrade, and what was left of the lower tier."""
    rights = (
        right("subscription:s1", channel_scope(CLEO), days=30),
        right("comp:c1", channel_scope(CLEO), level=3, days=5),
    )
    assert [after(days, *rights).channels for days in (1, 5, 30)] == [{CLEO: 3}, {CLEO: 1}, {}]


def test_what_is_paid_twice_ends_with_the_later_of_the_two() -> None:
    rights = right("subscription:s1", days=30), right("subscription:s2", begins=10, days=30)
    assert [after(days, *rights) for days in (29, 30, 39, 40)] == [PREMIUM, PREMIUM, PREMIUM, FREE]


def test_gifts_of_one_kind_come_one_after_the_other() -> None:
    gifts = [
        right(f"gift:{name}", channel_scope(CLEO), begins=begins) for name, begins in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert [bool(after(days, *gifts).channels) for days in (0, 31, 61, 89.9, 90)] == [True, True, True, True, False]


def test_gifts_of_other_levels_and_channels_do_not_wait() -> None:
    gifts = (
        right("gift:a", channel_scope(CLEO)),
        right("gift:b", channel_scope(CLEO), level=2),
        right("gift:c", channel_scope(DORA)),
    )
    assert after(1, *gifts).channels == {CLEO: 2, DORA: 1}
    assert after(30, *gifts) == FREE


def test_a_gift_waits_for_no_subscription() -> None:
    assert after(30, right("subscription:s1", days=30), right("gift:a", days=30)) == FREE


def test_a_gift_that_came_when_the_last_was_over_begins_at_once() -> None:
    gifts = right("gift:a", days=30), right("gift:b", begins=50, days=30)
    assert [after(days, *gifts).tier for days in (49, 50, 79, 80)] == ["free", "premium", "premium", "free"]


def test_there_is_an_end_to_channels() -> None:
    ids = [f"01890000-0000-7000-8000-{number:012d}" for number in range(MOST_CHANNELS + 20)]
    rights = [right(f"subscription:{one}", channel_scope(one), begins=-n, days=None) for n, one in enumerate(ids)]
    rights.append(right("subscription:old", channel_scope(CLEO), level=3, begins=-500, days=None))
    kept = after(0, *rights).channels
    assert len(kept) == MOST_CHANNELS
    assert kept[CLEO] == 3
    assert set(kept) - {CLEO} == set(ids[: MOST_CHANNELS - 1])


def test_what_a_gift_gives_is_its_recipients_as_long_as_it_was_paid() -> None:
    plan = load_plans().get("channel-2")
    waiting = Gift(
        id="g1", order_id="o1", number=1, plan_id=plan.id, creator_id=CLEO, giver_id="bob", recipient_id=None, months=1,
        state="waiting", starts_at=None, until=None, created_at=NOW,
    )  # fmt: skip
    assert right_of_gift(waiting, plan) is None
    until = months_after(NOW, 1)
    taken = msgspec.structs.replace(waiting, state="taken", recipient_id="ada", starts_at=NOW, until=until)
    assert right_of_gift(taken, plan) == right("gift:g1", channel_scope(CLEO), level=2, days=31)
    assert right_of_gift(msgspec.structs.replace(taken, state="withdrawn"), plan) is None


def test_a_comp_stands_until_it_is_taken_back() -> None:
    plan: Plan = load_plans().get("premium-monthly")
    assert right_of_comp("c1", "ada", plan, None, NOW, None) == right("comp:c1", days=None)


def test_months_are_those_of_the_calendar() -> None:
    january = datetime(2027, 1, 31, 18, 30, tzinfo=UTC)
    assert [months_after(january, n).date().isoformat() for n in (0, 1, 2, 11, 12, 13)] == [
        "2027-01-31", "2027-02-28", "2027-03-31", "2027-12-31", "2028-01-31", "2028-02-29",
    ]  # fmt: skip
    assert months_after(january, 1).timetz() == january.timetz()


SCOPES = st.sampled_from(["premium", channel_scope(CLEO), channel_scope(DORA)])
SOURCES = st.sampled_from(["subscription:", "gift:", "comp:"])
SPANS = st.one_of(st.none(), st.integers(0, 40))


@st.composite
def many(draw: st.DrawFn, *, begun: bool = False) -> list[Right]:
    """Rights of one user; `begun`: none of them begins later, and no gift makes another wait."""
    rights = []
    for number in range(draw(st.integers(0, 8))):
        kind = "subscription:" if begun else draw(SOURCES)
        begins = draw(st.integers(-40, 0 if begun else 40))
        scope, level, days = draw(SCOPES), draw(st.integers(1, 3)), draw(SPANS)
        rights.append(right(f"{kind}{number}", scope, level=level, begins=begins, days=days))
    return rights


def reached(lower: Standing, higher: Standing) -> bool:
    """Whether `higher` allows all that `lower` does."""
    return (lower.tier == "free" or higher.tier == "premium") and all(
        higher.channels.get(creator_id, 0) >= level for creator_id, level in lower.channels.items()
    )


@settings(deadline=None)
@given(many(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rights: list[Right], chance: random.Random) -> None:
    other = list(rights)
    chance.shuffle(other)
    for days in range(-41, 120, 7):
        assert after(days, *rights) == after(days, *other)
        assert next_change(rights, NOW + days * DAY) == next_change(other, NOW + days * DAY)


@settings(deadline=None)
@given(many(), many())
def test_more_rights_never_allow_less(rights: list[Right], others: list[Right]) -> None:
    others = [msgspec.structs.replace(one, source=one.source.replace(":", ":other")) for one in others]
    others = [one for one in others if not one.source.startswith("gift:")]
    for days in range(-41, 90, 5):
        assert reached(after(days, *rights), after(days, *rights, *others))


@settings(deadline=None)
@given(many(begun=True))
def test_once_all_have_begun_time_only_takes_away(rights: list[Right]) -> None:
    standings = [after(days, *rights) for days in range(60)]
    assert all(reached(later, earlier) for earlier, later in itertools.pairwise(standings))


@settings(deadline=None)
@given(many())
def test_between_two_changes_nothing_changes_and_after_the_last_never(rights: list[Right]) -> None:
    moment, steps = NOW - 50 * DAY, 0
    while (then := next_change(rights, moment)) is not None:
        assert then > moment
        for part in (1, 2, 3):
            assert standing(rights, moment + (then - moment) * part / 4) == standing(rights, moment)
        moment, steps = then, steps + 1
    assert standing(rights, moment + 10_000 * DAY) == standing(rights, moment)
    assert steps <= 2 * len(rights)


@settings(deadline=None)
@given(many())
def test_gifts_together_last_as_long_as_each_by_itself(rights: list[Right]) -> None:
    gifts = [
        msgspec.structs.replace(one, scope="premium", level=1)
        for one in rights
        if one.source.startswith("gift:") and one.until is not None
    ]
    days = [day for day in range(-41, 500) if after(day, *gifts).tier == "premium"]
    assert len(days) == sum((one.until - one.starts_at).days for one in gifts if one.until is not None)
