"""Giving back, by administrators. A refund is done by Stripe, which is in no transaction of ours: it leaves one row of
audit before Stripe is asked and one when it is in the books, so that none can happen without a trace."""

from collections.abc import Sequence
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

import msgspec

from accounts.model import Identity
from infra.errors import FootlightError
from infra.stores.postgres import Connection, Postgres
from payments import audit_rows
from payments.errors import PaymentNotFound, RefundDiffers, RefundTooLarge, StripeRefused
from payments.facts import OVER
from payments.gate import Gate
from payments.ledger.entries import STRIPE, Entry
from payments.ledger.journal import Journal
from payments.stripe.refusals import final_refusal
from payments.stripe.shapes import Invoice, InvoicePayment, Refund, Subscription

SPENT = ("charge_already_refunded", "amount_too_large", "charge_disputed")


class Looking(Protocol):
    """Who makes ours what Stripe's is."""

    async def look(self, kind: str, object_id: str) -> None: ...


class Refunding(Protocol):
    """What is asked of Stripe; raises what `Stripe.ask` raises."""

    async def refund_payment(self, payment_id: str, amount_minor: int | None, *, key: str) -> Refund: ...

    async def refund_asked_as(self, payment_id: str, key: str) -> Refund | None: ...

    async def payments_of_invoice(self, invoice_id: str) -> list[InvoicePayment]: ...

    async def invoice(self, invoice_id: str) -> Invoice: ...

    async def subscription(self, subscription_id: str) -> Subscription: ...

    async def end_now(self, subscription_id: str, *, key: str) -> Subscription: ...


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """`left_minor` can still be given back. `ended` is the subscription that was ended with it, as Stripe names it."""

    refund_id: str
    reference: str
    amount_minor: int
    currency: str
    left_minor: int
    ended: str | None = None


class Refunds:
    """Gives back what was paid."""

    def __init__(self, db: Postgres, journal: Journal, calls: Refunding, sync: Looking, gate: Gate) -> None:
        self._db = db
        self._journal = journal
        self._calls = calls
        self._sync = sync
        self._gate = gate

    async def refund(
        self,
        actor: Identity,
        reference: str,
        amount_minor: int | None,
        reason: str,
        request_key: str,
        *,
        ends: bool = False,
    ) -> Refunded:
        """Give back a payment (`invoice:in_…`, `payment:pi_…`), or a part of it. The same key is the same refund.

        `ends` also ends the subscription that was paid, at once: by itself a refund leaves it as it is, as at Stripe.

        Raises `AdminsOnly`, `FreshSignInNeeded`, `PaymentNotFound`, `RefundTooLarge`, `RefundDiffers`, and what
        `Stripe.ask` raises: then it may have happened, and is to be asked again with the same key.
        """
        await self._gate.require(actor)
        deed_id = str(uuid5(NAMESPACE_URL, f"refund:{actor.user_id}:{request_key}"))
        wanted, user_id, is_new = await self._ask(actor, deed_id, reference, amount_minor, reason, ends)
        payment_id, key = await self._payment_of(reference), f"refund:{deed_id}"
        try:
            # Asked again a day later, Stripe would have forgotten the key and given back once more.
            before = None if is_new else await self._calls.refund_asked_as(payment_id, key)
            made = before or await self._calls.refund_payment(payment_id, wanted, key=key)
        except FootlightError as failure:
            await self._note_refusal(actor, deed_id, reference, user_id, final_refusal(failure))
            raise
        await self._sync.look("payment", payment_id)
        ended = await self._end(reference, key=f"end:{deed_id}") if ends else None
        async with self._db.transaction() as connection:
            left = left_of(await self._journal.about(connection, reference))
            deed = self._gate.deed(
                actor, "refund", user_id, id=_outcome(deed_id), about=reference, reason=reason,
                before={"left_minor": left + made.amount},
                after={"refund_id": made.id, "amount_minor": made.amount, "left_minor": left, "ended": ended},
            )  # fmt: skip
            await audit_rows.record(connection, deed)
        return Refunded(
            refund_id=made.id, reference=reference, amount_minor=made.amount, currency=made.currency, left_minor=left,
            ended=ended,
        )  # fmt: skip

    async def _end(self, reference: str, *, key: str) -> str | None:
        """End the subscription of an invoice, however often this is asked. None when it was of none."""
        kind, _, invoice_id = reference.partition(":")
        details = (await self._calls.invoice(invoice_id)).subscription if kind == "invoice" else None
        if details is None:
            return None
        if (await self._calls.subscription(details.subscription)).status not in OVER:
            await self._calls.end_now(details.subscription, key=key)
        await self._sync.look("subscription", details.subscription)
        return details.subscription

    async def _ask(
        self, actor: Identity, deed_id: str, reference: str, amount_minor: int | None, reason: str, ends: bool
    ) -> tuple[int, str | None, bool]:
        """Write down that it is asked for; returns how much, whose payment it was, and whether this is news."""
        async with self._db.transaction() as connection:
            await self._journal.hold(connection, reference)
            booked = await self._journal.about(connection, reference)
            payment = next((entry for entry in booked if entry.kind == "payment"), None)
            if payment is None:
                raise PaymentNotFound
            before = await audit_rows.find_deed(connection, deed_id)
            if before is not None:
                asked: int = before.before["amount_minor"]
                same = (before.about, before.before.get("ends", False)) == (reference, ends)
                if not same or (amount_minor is not None and amount_minor != asked):
                    raise RefundDiffers
                await self._require_not_refused(connection, deed_id, left_of(booked))
                return asked, payment.sale.payer_id, False
            left = left_of(booked)
            wanted = left if amount_minor is None else amount_minor
            if not 0 < wanted <= left:
                raise RefundTooLarge(left=left)
            deed = self._gate.deed(
                actor, "refund_asked", payment.sale.payer_id, id=deed_id, about=reference, reason=reason,
                before={"left_minor": left, "amount_minor": wanted, "ends": ends},
            )  # fmt: skip
            await audit_rows.record(connection, deed)
            return wanted, payment.sale.payer_id, True

    async def _require_not_refused(self, connection: Connection, deed_id: str, left_minor: int) -> None:
        """What Stripe turned down stays turned down: another attempt is another request."""
        outcome = await audit_rows.find_deed(connection, _outcome(deed_id))
        if outcome is not None and outcome.action == "refund_refused":
            raise RefundTooLarge(left=left_minor) if outcome.after["code"] in SPENT else StripeRefused

    async def _payment_of(self, reference: str) -> str:
        """Stripe's payment; of those of an invoice the one that succeeded. Raises `PaymentNotFound`."""
        kind, _, stripe_id = reference.partition(":")
        if kind == "payment":
            return stripe_id
        tried = await self._calls.payments_of_invoice(stripe_id)
        found = next((one.payment.payment_intent for one in tried if one.status == "paid"), None)
        if found is None:
            raise PaymentNotFound
        return found

    async def _note_refusal(
        self, actor: Identity, deed_id: str, reference: str, user_id: str | None, code: str | None
    ) -> None:
        """Write down that Stripe turned it down for good; what is left open stays asked."""
        if code is None:
            return
        async with self._db.transaction() as connection:
            deed = self._gate.deed(
                actor, "refund_refused", user_id, id=_outcome(deed_id), about=reference, after={"code": code}
            )
            await audit_rows.record(connection, deed)
            left = left_of(await self._journal.about(connection, reference))
        if code in SPENT:
            raise RefundTooLarge(left=left)


def left_of(booked: Sequence[Entry]) -> int:
    """What of a payment is still with us: neither given back nor taken by a bank."""
    return sum(entry.amount_of(STRIPE) for entry in booked if entry.kind != "fee")


def _outcome(deed_id: str) -> str:
    """The id of what became of a deed."""
    return str(uuid5(NAMESPACE_URL, f"outcome:{deed_id}"))
