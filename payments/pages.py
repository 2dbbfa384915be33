"""The payment pages that we ask Stripe for: what is on them and where they lead back to. Pure."""

from stripe.params.checkout import SessionCreateParams

from payments.marks import Marks, marks_of
from payments.model import Order


def subscription_page(order: Order, customer_id: str, price_id: str, return_url: str) -> SessionCreateParams:
    """A page that begins a subscription. The marks go on both: the visit and what comes of it."""
    marks = marks_of(order).as_metadata()
    return {
        **_any_page(order, customer_id, return_url, marks_of(order)),
        "mode": "subscription",
        "line_items": [{"price": price_id, "quantity": 1}],
        "subscription_data": {"metadata": marks},
    }


def payment_page(order: Order, customer_id: str, name: str, return_url: str) -> SessionCreateParams:
    """A page for something that is paid once: gifts, a message. `name` is what stands on the bill."""
    marks = marks_of(order).as_metadata()
    return {
        **_any_page(order, customer_id, return_url, marks_of(order)),
        "mode": "payment",
        "line_items": [
            {
                "quantity": order.quantity,
                "price_data": {
                    "currency": order.currency,
                    "unit_amount": order.amount_minor,
                    "product_data": {"name": name},
                    "tax_behavior": "exclusive",
                },
            }
        ],
        "payment_intent_data": {"metadata": marks},
    }


def _any_page(order: Order, customer_id: str, return_url: str, marks: Marks) -> SessionCreateParams:
    # Only what stays the same for an order: its id is the idempotency key, which is for one body only.
    return {
        "customer": customer_id,
        "client_reference_id": order.id,
        "metadata": marks.as_metadata(),
        "success_url": f"{return_url}{order.id}",
        "cancel_url": f"{return_url}{order.id}?left=1",
        "expires_at": int(order.expires_at.timestamp()),
    }
