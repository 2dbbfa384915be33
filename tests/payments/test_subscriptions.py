"""What one may do with a subscription: end it, take that back, change its plan for the price that was shown."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.clock import new_id
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments.errors import (
    NoCustomerYet,
    PlanDoesNotFit,
    PreviewTooOld,
    SamePlan,
    StripeUnavailable,
    SubscriptionIsOver,
    SubscriptionIsUnpaid,
    SubscriptionNotFound,
)
from payments.model import Subscription
from payments.subscriptions import PREVIEW_FOR
from tests.payments.selling import PREMIUM, Selling, open_shop
from tests.payments.till import unix

SECOND = timedelta(seconds=1)


@pytest.fixture
async def shop(till_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Selling]:
    async with open_shop(till_keys, db, redis) as shop:
        yield shop


@pytest.fixture
async def premium(shop: Selling) -> Subscription:
    await shop.paid()
    [one] = await shop.subscriptions.of(shop.ada.user.id)
    return one


async def test_it_ends_with_the_period_and_may_go_on_until_then(shop: Selling, premium: Subscription) -> None:
    ada = shop.ada.user.id
    for _ in range(2):
        ended = await shop.subscriptions.cancel(ada, premium.id)
        assert (ended.status, ended.cancel_at_period_end) == ("canceled", True)
    [right] = await shop.till.rights_of(shop.ada)
    assert right.until == premium.current_period_end
    for _ in range(2):
        assert (await shop.subscriptions.resume(ada, premium.id)).status == "active"
    assert (await shop.subscriptions.cancel(ada, premium.id)).status == "canceled", "said again, meant again"


async def test_another_plan_costs_what_was_shown_and_is_changed_to_once(shop: Selling, premium: Subscription) -> None:
    ada = shop.ada.user.id
    seen = await shop.subscriptions.preview(ada, premium.id, "premium-yearly")
    assert (seen.due_minor, seen.tax_minor, seen.currency) == (4491, 391, "eur")
    for _ in range(2):
        shop.clock.offset += SECOND
        changed = await shop.subscriptions.change(ada, premium.id, "premium-yearly", seen.prorated_at)
        assert (changed.plan_id, changed.amount_minor) == ("premium-yearly", 4990)
    assert shop.stripe.asked.count(f"change:{premium.id}:premium-yearly:{unix(seen.prorated_at)}") == 1


async def test_a_change_whose_answer_was_lost_is_asked_for_under_the_same_key(
    shop: Selling, premium: Subscription
) -> None:
    ada = shop.ada.user.id
    seen = await shop.subscriptions.preview(ada, premium.id, "premium-yearly")
    shop.stripe.breaks_after = StripeUnavailable()
    for _ in range(2):
        try:
            await shop.subscriptions.change(ada, premium.id, "premium-yearly", seen.prorated_at)
        except StripeUnavailable:
            continue
    assert len({key for key in shop.stripe.asked if key.startswith("change:")}) == 1
    assert (await shop.subscriptions.of(ada))[0].plan_id == "premium-yearly"


async def test_a_price_holds_for_a_while(shop: Selling, premium: Subscription) -> None:
    ada = shop.ada.user.id
    seen = await shop.subscriptions.preview(ada, premium.id, "premium-yearly")
    with pytest.raises(PreviewTooOld):
        await shop.subscriptions.change(ada, premium.id, "premium-yearly", seen.prorated_at + timedelta(hours=1))
    shop.clock.offset += PREVIEW_FOR + SECOND
    with pytest.raises(PreviewTooOld):
        await shop.subscriptions.change(ada, premium.id, "premium-yearly", seen.prorated_at)
    assert (await shop.subscriptions.of(ada))[0].plan_id == PREMIUM


async def test_only_what_fits_can_be_changed_to(shop: Selling, premium: Subscription) -> None:
    ada = shop.ada.user.id
    with pytest.raises(SamePlan):
        await shop.subscriptions.preview(ada, premium.id, PREMIUM)
    with pytest.raises(PlanDoesNotFit):
        await shop.subscriptions.preview(ada, premium.id, "channel-1")
    shop.stripe.change(premium.stripe_subscription_id, status="past_due")
    await shop.till.sync.look("subscription", premium.stripe_subscription_id)
    with pytest.raises(SubscriptionIsUnpaid):
        await shop.subscriptions.preview(ada, premium.id, "premium-yearly")


async def test_a_channels_tier_changes_the_level_of_its_right(shop: Selling) -> None:
    ada, cleo = shop.ada.user.id, shop.cleo.user.id
    await shop.paid("channel-1", cleo)
    [one] = await shop.subscriptions.of(ada)
    seen = await shop.subscriptions.preview(ada, one.id, "channel-3")
    await shop.subscriptions.change(ada, one.id, "channel-3", seen.prorated_at)
    who = await shop.till.world.accounts.identify(shop.ada.access_token)
    assert who.channels == {cleo: 3}


async def test_nobody_touches_what_is_not_theirs_or_over(shop: Selling, premium: Subscription) -> None:
    for user_id, one in ((shop.cleo.user.id, premium.id), (shop.ada.user.id, new_id())):
        with pytest.raises(SubscriptionNotFound):
            await shop.subscriptions.cancel(user_id, one)
    shop.stripe.change(premium.stripe_subscription_id, status="canceled", ended_at=unix(premium.created_at))
    await shop.till.sync.look("subscription", premium.stripe_subscription_id)
    for act in (shop.subscriptions.cancel, shop.subscriptions.resume):
        with pytest.raises(SubscriptionIsOver):
            await act(shop.ada.user.id, premium.id)
    assert await shop.subscriptions.premium_of(shop.ada.user.id) is None


async def test_the_portal_is_for_who_ever_wanted_to_buy(shop: Selling) -> None:
    with pytest.raises(NoCustomerYet):
        await shop.subscriptions.portal(shop.ada.user.id)
    assert await shop.subscriptions.invoices(shop.ada.user.id) == []
    await shop.buy()
    assert (await shop.subscriptions.portal(shop.ada.user.id)).startswith("https://portal.test/cus_")
