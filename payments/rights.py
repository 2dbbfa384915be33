"""What rows of rights come to: a tier and channel levels, now and when next. Pure.

The order of the rows, and how they came to be there, never matters. Rights on the same thing do not add up: the
highest level counts, so an upgrade needs nothing but its row, and what is paid twice ends with the later of the two.
Only gifts wait for each other: three months given in one evening are three months, one after the other.
"""

import calendar
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from payments.model import CHANNEL, PREMIUM, Gift, Plan, Right, Standing, scope_of

MOST_CHANNELS = 100  # each travels with every message of who has it; those of the highest level, then the newest, stay
GIFT = "gift:"


def standing(rights: Iterable[Right], now: datetime) -> Standing:
    """The tier and the channels that these rights of one user give at this moment."""
    live = [right for right in in_turn(rights) if stands(right, now)]
    best: dict[str, tuple[int, datetime, str]] = {}
    for right in live:
        if right.scope.startswith(CHANNEL):
            creator_id = right.scope.removeprefix(CHANNEL)
            best[creator_id] = max(
                best.get(creator_id, (0, right.starts_at, "")), (right.level, right.starts_at, creator_id)
            )
    kept = sorted(best.values(), reverse=True)[:MOST_CHANNELS]
    is_premium = any(right.scope == PREMIUM for right in live)
    return Standing(
        tier="premium" if is_premium else "free",
        channels={creator_id: level for level, _, creator_id in sorted(kept, key=lambda one: one[2])},
    )


def next_change(rights: Iterable[Right], now: datetime) -> datetime | None:
    """When time alone may change the standing next; None: never."""
    moments = (moment for right in in_turn(rights) for moment in (right.starts_at, right.until) if moment is not None)
    return min((moment for moment in moments if moment > now), default=None)


def stands(right: Right, now: datetime) -> bool:
    return right.starts_at <= now and (right.until is None or now < right.until)


def in_turn(rights: Iterable[Right]) -> Iterator[Right]:
    """The same, each gift moved behind those of the same scope and level that came before it."""
    gifts: dict[tuple[str, int], list[Right]] = {}
    for right in rights:
        if right.source.startswith(GIFT) and right.until is not None:
            gifts.setdefault((right.scope, right.level), []).append(right)
        else:
            yield right
    for waiting in gifts.values():
        yield from _one_after_the_other(waiting)


def _one_after_the_other(gifts: list[Right]) -> Iterator[Right]:
    free_from: datetime | None = None
    for gift in sorted(gifts, key=lambda one: (one.starts_at, one.source)):
        assert gift.until is not None  # noqa: S101  # told to the type checker: `in_turn` picks those with an end
        begins = gift.starts_at if free_from is None else max(gift.starts_at, free_from)
        free_from = begins + (gift.until - gift.starts_at)
        yield msgspec.structs.replace(gift, starts_at=begins, until=free_from)


# --- where rights come from, besides subscriptions (`facts.py`)


def right_of_gift(gift: Gift, plan: Plan) -> Right | None:
    """What a gift gives to who has it; None while nobody has it, and once its money went back."""
    if gift.state != "taken" or gift.recipient_id is None or gift.starts_at is None:
        return None
    return Right(
        user_id=gift.recipient_id, scope=scope_of(gift.creator_id), source=GIFT + gift.id, level=plan.level,
        starts_at=gift.starts_at, until=gift.until,
    )  # fmt: skip


def right_of_comp(
    comp_id: str, user_id: str, plan: Plan, creator_id: str | None, starts_at: datetime, until: datetime | None
) -> Right:
    """What an administrator gives away; `until` None: until they take it back."""
    scope = scope_of(creator_id)
    return Right(
        user_id=user_id, scope=scope, source=f"comp:{comp_id}", level=plan.level, starts_at=starts_at, until=until
    )


def months_after(moment: datetime, months: int) -> datetime:
    """The same day so many months later, or the last one of a month that is too short."""
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
