"""What is sold: `plans.toml`, read once and checked whole, so that a wrong price stops the start and not a sale."""

import itertools
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from payments.errors import AmountNotAllowed, PlanUnknown
from payments.model import Interval, Plan, PlanScope
from payments.money import Money

SOURCE = Path(__file__).with_name("plans.toml")


class PlansWrong(Exception):
    """`plans.toml` contradicts itself; says where."""


class GiftRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many gifts one order may hold, and for how long each may be."""

    max_quantity: int
    max_months: int


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `amount_minor` on a message stays on top so long."""

    amount_minor: int
    on_top_seconds: int


class PaidMessageRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a message may cost and what it gets for it."""

    share_percent: int
    max_amount_minor: int
    steps: list[Step]

    @property
    def min_amount_minor(self) -> int:
        return self.steps[0].amount_minor

    def on_top_seconds(self, amount_minor: int) -> int:
        """How long this amount stays on top. Raises `AmountNotAllowed`."""
        if not self.min_amount_minor <= amount_minor <= self.max_amount_minor:
            raise AmountNotAllowed(minimum=self.min_amount_minor, maximum=self.max_amount_minor)
        return next(step.on_top_seconds for step in reversed(self.steps) if step.amount_minor <= amount_minor)


class PayoutRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When earnings may be paid out, and how much at least."""

    minimum_minor: int
    pending_days: int


class _WrittenPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: str
    scope: PlanScope
    level: int
    interval: Interval
    amount_minor: int
    share_percent: int
    currency: str = ""


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    currency: str
    plans: list[_WrittenPlan]
    gifts: GiftRules
    paid_messages: PaidMessageRules
    payouts: PayoutRules


class Plans:
    """Everything that is sold. Iterates over the plans in the order of the file."""

    def __init__(
        self, plans: list[Plan], *, currency: str, gifts: GiftRules, messages: PaidMessageRules, payouts: PayoutRules
    ) -> None:
        self._by_id = {plan.id: plan for plan in plans}
        self.currency = currency
        self.gifts = gifts
        self.paid_messages = messages
        self.payouts = payouts

    def __iter__(self) -> Iterator[Plan]:
        return iter(self._by_id.values())

    def get(self, plan_id: str) -> Plan:
        """Raises `PlanUnknown`."""
        plan = self._by_id.get(plan_id)
        if plan is None:
            raise PlanUnknown(plan_id=plan_id)
        return plan

    def price(self, plan_id: str) -> Money:
        plan = self.get(plan_id)
        return Money(plan.amount_minor, plan.currency)


def load_plans(source: Path = SOURCE) -> Plans:
    """Read and check the file. Raises `PlansWrong` with everything that is wrong."""
    try:
        written = msgspec.convert(tomllib.loads(source.read_text()), type=_Written)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as wrong:
        raise PlansWrong(f"{source.name}: {wrong}") from wrong
    if problems := list(_problems(written)):
        raise PlansWrong(f"{source.name}: " + "; ".join(problems))
    plans = [
        Plan(
            id=plan.id, name=plan.name, scope=plan.scope, level=plan.level, interval=plan.interval,
            amount_minor=plan.amount_minor, currency=plan.currency or written.currency,
            share_percent=plan.share_percent,
        )
        for plan in written.plans
    ]  # fmt: skip
    return Plans(
        plans, currency=written.currency, gifts=written.gifts, messages=written.paid_messages, payouts=written.payouts
    )


def _problems(written: _Written) -> Iterator[str]:
    ids = [plan.id for plan in written.plans]
    yield from (f"{one} is there twice" for one in sorted({one for one in ids if ids.count(one) > 1}))
    if not ids:
        yield "there is no plan"
    for plan in written.plans:
        yield from _plan_problems(plan, plan.currency or written.currency)
    messages = written.paid_messages
    amounts = [step.amount_minor for step in messages.steps]
    times = [step.on_top_seconds for step in messages.steps]
    if not amounts or not _rises(amounts) or not _rises(times) or amounts[0] <= 0 or times[0] < 0:
        yield "the steps of paid messages must rise from above 0"
    if amounts and messages.max_amount_minor < amounts[-1]:
        yield "max_amount_minor of paid messages is below their last step"
    if not 0 <= messages.share_percent <= 100:
        yield "share_percent of paid messages is no percentage"
    if not (1 <= written.gifts.max_quantity <= 100 and 1 <= written.gifts.max_months <= 12):
        yield "gifts must be 1 to 100, for 1 to 12 months"
    if written.payouts.minimum_minor <= 0 or not 0 <= written.payouts.pending_days <= 90:
        yield "payouts need a minimum above 0 and 0 to 90 pending days"


def _plan_problems(plan: _WrittenPlan, currency: str) -> Iterator[str]:
    if not (plan.id.isascii() and plan.id.replace("-", "").isalnum() and len(plan.id) <= 40 and plan.name):
        yield f"{plan.id!r} needs a short id and a name"
    if plan.amount_minor <= 0:
        yield f"{plan.id} costs nothing"
    if not 0 <= plan.share_percent <= 100:
        yield f"share_percent of {plan.id} is no percentage"
    if not (len(currency) == 3 and currency.isascii() and currency.islower()):
        yield f"{plan.id} has no currency"
    if plan.scope == "premium" and (plan.level != 1 or plan.share_percent):
        yield f"{plan.id} is premium: level 1, and no channel shares in it"
    if plan.scope == "channel" and not 1 <= plan.level <= 3:
        yield f"level of {plan.id} is not 1, 2 or 3"


def _rises(numbers: list[int]) -> bool:
    return all(one < other for one, other in itertools.pairwise(numbers))
