"""The shelf over HTTP, for the real client: objects by their ids, lists by what they name, and faults while told to."""

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import msgspec

from payments.stripe import shapes
from tests.payments.shelf import Shelf
from tests.payments.stripe.scripted import Says, Scripted, fails

LISTS: dict[str, type[msgspec.Struct]] = {
    "refunds": shapes.Refund,
    "disputes": shapes.Dispute,
    "subscriptions": shapes.Subscription,
    "payment_intents": shapes.PaymentIntent,
    "checkout/sessions": shapes.Checkout,
    "events": shapes.Event,
    "prices": shapes.Price,
}


class ShelfServer(Scripted):
    """`fault`, when set, is all that anybody is told."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.shelf = shelf
        self.fault: Says | None = None

    def says(self, path: str) -> Says:
        if self.fault is not None:
            return self.fault
        parts = urlsplit(path)
        wanted = {name: values[0] for name, values in parse_qs(parts.query).items()}
        name = parts.path.removeprefix("/v1/")
        if name == "invoice_payments":
            return _listed([one for one in self.shelf.invoice_payments if _paid_by(one, wanted)])
        if name in LISTS:
            return _listed([one for one in self.shelf.all(LISTS[name]) if _fits(one, wanted)])
        found = self.shelf.objects.get(name.rpartition("/")[2])
        return Says(body=found) if found else fails(404, type="invalid_request_error", code="resource_missing")


def _fits(one: msgspec.Struct, wanted: dict[str, str]) -> bool:
    """What narrows a list; of a time it is only looked whether it was asked for."""
    narrow = {name: wanted[name] for name in ("payment_intent", "customer") if name in wanted}
    return all(getattr(one, name) == value for name, value in narrow.items())


def _paid_by(one: shapes.InvoicePayment, wanted: dict[str, str]) -> bool:
    asked = wanted.get("payment[payment_intent]")
    return one.invoice == wanted.get("invoice") or (asked is not None and one.payment.payment_intent == asked)


def _listed(found: Sequence[msgspec.Struct]) -> Says:
    return Says(body={"object": "list", "data": found, "has_more": False, "url": "/v1/x"})
