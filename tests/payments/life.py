"""The life of a subscription to a channel, as Stripe's objects go through it: bought, renewed, failed, mended, partly
given back, disputed and won, cancelled, over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from payments.model import Order
from payments.stripe import shapes
from tests.payments.shelf import FEE, Shelf
from tests.payments.till import marked

BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
PRICE, TAX = 999, 95

Step = Callable[[Shelf, Order], list[tuple[str, str]]]


def at(months: float) -> int:
    return int((BEGUN + months * MONTH).timestamp())


def _subscription(order: Order, month: int, **more: object) -> shapes.Subscription:
    price = shapes.Price(id="price_1", currency="eur", unit_amount=PRICE, lookup_key="channel-2")
    item = shapes.SubscriptionItem(
        id="si_1", price=price, current_period_start=at(month), current_period_end=at(month + 1)
    )
    fields: dict[str, object] = {
        "id": "sub_1", "status": "active", "customer": "cus_1", "currency": "eur", "created": at(0),
        "items": shapes.Page(data=[item]), "metadata": marked(order), **more,
    }  # fmt: skip
    return shapes.Subscription(**fields)  # type: ignore[arg-type]  # fields are checked where they are read


def _paid(shelf: Shelf, order: Order, month: int) -> list[tuple[str, str]]:
    number, when = month + 1, at(month)
    fee = shapes.BalanceTransaction(
        id=f"txn_{number}", amount=PRICE + TAX, fee=FEE, currency="eur", created=when, type="charge"
    )
    charge = shapes.Charge(
        id=f"ch_{number}", amount=PRICE + TAX, currency="eur", created=when, status="succeeded",
        payment_intent=f"pi_{number}", balance_transaction=fee,
    )  # fmt: skip
    shelf.put(
        charge,
        shapes.PaymentIntent(
            id=f"pi_{number}", status="succeeded", amount=PRICE + TAX, amount_received=PRICE + TAX, currency="eur",
            created=when, latest_charge=charge,
        ),
        shapes.Invoice(
            id=f"in_{number}", currency="eur", total=PRICE + TAX, amount_due=PRICE + TAX, amount_paid=PRICE + TAX,
            created=when, status="paid", total_taxes=[shapes.Tax(amount=TAX)],
            parent=shapes.InvoiceParent(
                subscription_details=shapes.SubscriptionDetails(subscription="sub_1", metadata=marked(order))
            ),
        ),
    )  # fmt: skip
    shelf.invoice_payments.append(
        shapes.InvoicePayment(
            id=f"inpay_{number}", invoice=f"in_{number}", status="paid",
            payment=shapes.PaidBy(type="payment_intent", payment_intent=f"pi_{number}"),
        )
    )  # fmt: skip
    return [("invoice.paid", f"in_{number}"), ("charge.succeeded", f"ch_{number}")]


def bought(shelf: Shelf, order: Order) -> list[tuple[str, str]]:
    shelf.put(
        _subscription(order, 0),
        shapes.Checkout(
            id="cs_1", mode="subscription", created=at(0), expires_at=at(1), payment_status="paid", status="complete",
            subscription="sub_1", metadata=marked(order),
        ),
    )  # fmt: skip
    created = [("checkout.session.completed", "cs_1"), ("customer.subscription.created", "sub_1")]
    return created + _paid(shelf, order, 0)


def renewed(shelf: Shelf, order: Order) -> list[tuple[str, str]]:
    shelf.put(_subscription(order, 1))
    return [("customer.subscription.updated", "sub_1"), *_paid(shelf, order, 1)]


def failed(shelf: Shelf, order: Order) -> list[tuple[str, str]]:
    shelf.put(_subscription(order, 2, status="past_due"))
    return [("invoice.payment_failed", "in_3"), ("customer.subscription.updated", "sub_1")]


def mended(shelf: Shelf, order: Order) -> list[tuple[str, str]]:
    shelf.put(_subscription(order, 2))
    return [("customer.subscription.updated", "sub_1"), *_paid(shelf, order, 2)]


def partly_refunded(shelf: Shelf, _: Order) -> list[tuple[str, str]]:
    shelf.put(
        shapes.Refund(
            id="re_1", amount=333, currency="eur", created=at(2.1), status="succeeded", charge="ch_2",
            payment_intent="pi_2",
        )
    )  # fmt: skip
    return [("refund.created", "re_1"), ("charge.refunded", "ch_2")]


def refunded_again(shelf: Shelf, _: Order) -> list[tuple[str, str]]:
    shelf.put(
        shapes.Refund(
            id="re_2", amount=500, currency="eur", created=at(2.2), status="succeeded", charge="ch_2",
            payment_intent="pi_2",
        )
    )  # fmt: skip
    return [("refund.created", "re_2")]


def _dispute(status: str, *changes: shapes.BalanceTransaction) -> shapes.Dispute:
    return shapes.Dispute(
        id="du_1", amount=PRICE + TAX, currency="eur", created=at(2.3), status=status, charge="ch_3",
        payment_intent="pi_3", balance_transactions=list(changes),
    )  # fmt: skip


TAKEN = shapes.BalanceTransaction(
    id="txn_d1", amount=-PRICE - TAX, fee=1500, currency="eur", created=at(2.3), type="adjustment"
)
GIVEN_BACK = shapes.BalanceTransaction(
    id="txn_d2", amount=PRICE + TAX, fee=-1500, currency="eur", created=at(2.6), type="adjustment"
)


def disputed(shelf: Shelf, _: Order) -> list[tuple[str, str]]:
    shelf.put(_dispute("needs_response", TAKEN))
    return [("charge.dispute.created", "du_1"), ("charge.dispute.funds_withdrawn", "du_1")]


def won(shelf: Shelf, _: Order) -> list[tuple[str, str]]:
    shelf.put(_dispute("won", TAKEN, GIVEN_BACK))
    return [("charge.dispute.closed", "du_1")]


def cancelled(shelf: Shelf, order: Order) -> list[tuple[str, str]]:
    shelf.put(_subscription(order, 2, cancel_at_period_end=True, canceled_at=at(2.7)))
    return [("customer.subscription.updated", "sub_1")]


def over(shelf: Shelf, order: Order) -> list[tuple[str, str]]:
    shelf.put(_subscription(order, 2, status="canceled", canceled_at=at(2.7), ended_at=at(3)))
    return [("customer.subscription.deleted", "sub_1")]


LIFE: tuple[Step, ...] = (
    bought, renewed, failed, mended, partly_refunded, refunded_again, disputed, won, cancelled, over,
)  # fmt: skip
