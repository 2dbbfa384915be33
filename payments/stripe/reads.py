"""What we ask of Stripe about single objects. `Stripe.ask` does the waiting, the retrying and the refusing.

Everything that is done with an answer is done with one that was fetched after a lock was taken (`payments/sync.py`).
"""

from payments.stripe.client import Stripe
from payments.stripe.lists import Lists
from payments.stripe.shapes import (
    Account,
    Charge,
    Checkout,
    Customer,
    Dispute,
    Invoice,
    InvoicePayment,
    Page,
    PaymentIntent,
    Refund,
    Subscription,
    Transfer,
)

ASKED_AS = "footlight_key"  # on refunds: Stripe forgets idempotency keys after a day, and we ask again for longer


class Reads:
    """Objects as they are now; raises what `Stripe.ask` raises, so `NoSuchObject` for an unknown id."""

    def __init__(self, stripe: Stripe) -> None:
        self._ask = stripe.ask
        self._v1 = stripe.api.v1
        self.lists = Lists(stripe)

    async def checkout(self, checkout_id: str) -> Checkout:
        return await self._ask(lambda o: self._v1.checkout.sessions.retrieve_async(checkout_id, None, o), Checkout)

    async def subscription(self, subscription_id: str) -> Subscription:
        return await self._ask(lambda o: self._v1.subscriptions.retrieve_async(subscription_id, None, o), Subscription)

    async def invoice(self, invoice_id: str) -> Invoice:
        return await self._ask(lambda o: self._v1.invoices.retrieve_async(invoice_id, None, o), Invoice)

    async def payment(self, payment_id: str) -> PaymentIntent:
        """With its latest charge and that one's balance transaction."""
        expanded = ["latest_charge.balance_transaction"]
        return await self._ask(
            lambda o: self._v1.payment_intents.retrieve_async(payment_id, {"expand": expanded}, o), PaymentIntent
        )

    async def charge(self, charge_id: str) -> Charge:
        return await self._ask(lambda o: self._v1.charges.retrieve_async(charge_id, None, o), Charge)

    async def refund(self, refund_id: str) -> Refund:
        return await self._ask(lambda o: self._v1.refunds.retrieve_async(refund_id, None, o), Refund)

    async def refund_asked_as(self, payment_id: str, key: str) -> Refund | None:
        """The refund that was made under this idempotency key, however long ago."""
        async for one in self.lists.refunds(payment_intent=payment_id):
            if (one.metadata or {}).get(ASKED_AS) == key:
                return one
        return None

    async def dispute(self, dispute_id: str) -> Dispute:
        return await self._ask(lambda o: self._v1.disputes.retrieve_async(dispute_id, None, o), Dispute)

    async def customer(self, customer_id: str) -> Customer:
        """A deleted one says so."""
        return await self._ask(lambda o: self._v1.customers.retrieve_async(customer_id, None, o), Customer)

    async def account(self, account_id: str) -> Account:
        return await self._ask(lambda o: self._v1.accounts.retrieve_async(account_id, None, o), Account)

    async def transfer(self, transfer_id: str) -> Transfer:
        return await self._ask(lambda o: self._v1.transfers.retrieve_async(transfer_id, None, o), Transfer)

    async def payments_of_invoice(self, invoice_id: str) -> list[InvoicePayment]:
        """Almost always one; none for an invoice of nothing."""
        page = await self._ask(
            lambda o: self._v1.invoice_payments.list_async({"invoice": invoice_id, "limit": 100}, o),
            Page[InvoicePayment],
        )
        return page.data

    async def invoice_of_payment(self, payment_id: str) -> str | None:
        """The invoice's id; None for a payment without one: gifts and paid messages."""
        page = await self._ask(
            lambda o: self._v1.invoice_payments.list_async(
                {"payment": {"type": "payment_intent", "payment_intent": payment_id}, "limit": 1}, o
            ),
            Page[InvoicePayment],
        )
        return page.data[0].invoice if page.data else None
