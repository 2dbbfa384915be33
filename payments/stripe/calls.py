"""Everything we ask of Stripe: what `Reads` and `Lists` read, and here what changes something, one function each.

Each write takes the idempotency key under which it happens once: our own id and the step, so that a process that takes
over after a crash asks for the same thing. Stripe remembers keys for at least 24 hours.
"""

from collections.abc import Mapping
from typing import Literal

from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from payments.model import Plan
from payments.stripe.client import Stripe
from payments.stripe.reads import ASKED_AS, Reads
from payments.stripe.shapes import (
    Account,
    AccountLink,
    Checkout,
    Customer,
    Invoice,
    Page,
    PortalVisit,
    Price,
    Refund,
    Subscription,
    Transfer,
)

# What a change of plan costs is paid at once; a change whose payment fails does not happen.
AT_ONCE: Literal["always_invoice"] = "always_invoice"
OR_NOT_AT_ALL: Literal["error_if_incomplete"] = "error_if_incomplete"


class Calls(Reads):
    """What we ask; raises what `Stripe.ask` raises. `collect_tax`: payment pages ask for an address and add taxes."""

    def __init__(self, stripe: Stripe, *, collect_tax: bool = False) -> None:
        super().__init__(stripe)
        self._taxes: SessionCreateParams = {}
        if collect_tax:
            self._taxes = {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}

    # --- buying

    async def create_customer(self, user_id: str, email: str, name: str, *, key: str) -> Customer:
        return await self._ask(
            lambda o: self._v1.customers.create_async(
                {"email": email, "name": name, "metadata": {"footlight_user": user_id}}, o
            ),
            Customer,
            key=key,
        )

    async def price_of(self, plan_id: str) -> Price | None:
        """None before the plan was first sold."""
        page = await self._ask(
            lambda o: self._v1.prices.list_async({"lookup_keys": [plan_id], "active": True, "limit": 1}, o),
            Page[Price],
        )
        return page.data[0] if page.data else None

    async def create_price(self, plan: Plan, *, key: str) -> Price:
        """A price of a product of its own."""
        return await self._ask(
            lambda o: self._v1.prices.create_async(
                {
                    "currency": plan.currency,
                    "unit_amount": plan.amount_minor,
                    "recurring": {"interval": plan.interval},
                    "lookup_key": plan.id,
                    "product_data": {"name": plan.name, "metadata": {"footlight_plan": plan.id}},
                    "tax_behavior": "exclusive",
                },
                o,
            ),
            Price,
            key=key,
        )

    async def create_checkout(self, wanted: SessionCreateParams, *, key: str) -> Checkout:
        """A visit to the payment page."""
        page: SessionCreateParams = {**wanted, **self._taxes}
        return await self._ask(lambda o: self._v1.checkout.sessions.create_async(page, o), Checkout, key=key)

    async def expire_checkout(self, checkout_id: str, *, key: str) -> Checkout:
        """Close the payment page; refused as `StripeRefused` when it is not open any more."""
        return await self._ask(
            lambda o: self._v1.checkout.sessions.expire_async(checkout_id, None, o), Checkout, key=key
        )

    async def open_portal(self, customer_id: str, return_url: str) -> PortalVisit:
        """Where somebody changes cards and reads invoices."""
        return await self._ask(
            lambda o: self._v1.billing_portal.sessions.create_async(
                {"customer": customer_id, "return_url": return_url}, o
            ),
            PortalVisit,
        )

    # --- subscriptions

    async def end_with_period(self, subscription_id: str, *, ends: bool, key: str) -> Subscription:
        """Cancel at the end of the paid period, or take that back."""
        return await self._ask(
            lambda o: self._v1.subscriptions.update_async(subscription_id, {"cancel_at_period_end": ends}, o),
            Subscription,
            key=key,
        )

    async def end_now(self, subscription_id: str, *, key: str) -> Subscription:
        """Without giving anything back."""
        return await self._ask(
            lambda o: self._v1.subscriptions.cancel_async(subscription_id, {"prorate": False}, o),
            Subscription,
            key=key,
        )

    async def change_price(
        self,
        subscription_id: str,
        item_id: str,
        price_id: str,
        *,
        proration_at: int,
        metadata: Mapping[str, str],
        key: str,
    ) -> Subscription:
        """Move to another plan; the difference from `proration_at` on is paid or credited now, or it fails whole.

        A subscription that was to end goes on. `metadata` is added to what is there.
        """
        return await self._ask(
            lambda o: self._v1.subscriptions.update_async(
                subscription_id,
                {
                    "items": [{"id": item_id, "price": price_id}],
                    "proration_behavior": AT_ONCE,
                    "proration_date": proration_at,
                    "payment_behavior": OR_NOT_AT_ALL,
                    "cancel_at_period_end": False,
                    "metadata": dict(metadata),
                },
                o,
            ),
            Subscription,
            key=key,
        )

    async def preview_change(self, subscription_id: str, item_id: str, price_id: str, *, proration_at: int) -> Invoice:
        """What `change_price` would cost."""
        return await self._ask(
            lambda o: self._v1.invoices.create_preview_async(
                {
                    "subscription": subscription_id,
                    "subscription_details": {
                        "items": [{"id": item_id, "price": price_id}],
                        "proration_behavior": AT_ONCE,
                        "proration_date": proration_at,
                    },
                },
                o,
            ),
            Invoice,
        )

    # --- giving back, and paying creators

    async def refund_payment(self, payment_id: str, amount_minor: int | None, *, key: str) -> Refund:
        """All of what is left when `amount_minor` is None. The refund says itself which `key` it is of."""
        wanted: RefundCreateParams = {"payment_intent": payment_id, "metadata": {ASKED_AS: key}}
        if amount_minor is not None:
            wanted["amount"] = amount_minor
        return await self._ask(lambda o: self._v1.refunds.create_async(wanted, o), Refund, key=key)

    async def create_account(self, user_id: str, email: str, country: str, *, key: str) -> Account:
        """An account whose onboarding and dashboard are Stripe's; it only receives transfers."""
        return await self._ask(
            lambda o: self._v1.accounts.create_async(
                {
                    "type": "express",
                    "country": country,
                    "email": email,
                    "capabilities": {"transfers": {"requested": True}},
                    "metadata": {"footlight_user": user_id},
                },
                o,
            ),
            Account,
            key=key,
        )

    async def link_to_onboarding(self, account_id: str, *, return_url: str, refresh_url: str) -> AccountLink:
        """Good once, for some minutes."""
        return await self._ask(
            lambda o: self._v1.account_links.create_async(
                {
                    "account": account_id,
                    "type": "account_onboarding",
                    "return_url": return_url,
                    "refresh_url": refresh_url,
                },
                o,
            ),
            AccountLink,
        )

    async def create_transfer(
        self, account_id: str, amount_minor: int, currency: str, metadata: Mapping[str, str], *, key: str
    ) -> Transfer:
        """Money from our balance to a creator's."""
        return await self._ask(
            lambda o: self._v1.transfers.create_async(
                {
                    "destination": account_id,
                    "amount": amount_minor,
                    "currency": currency,
                    "metadata": dict(metadata),
                },
                o,
            ),
            Transfer,
            key=key,
        )
