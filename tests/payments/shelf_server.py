"""The shelf over HTTP, for the real client: objects by their ids, lists by what they name, and faults while told to."""

from urllib.parse import parse_qs, urlsplit

import msgspec

from payments.stripe import shapes
from tests.payments.shelf import Shelf
from tests.payments.stripe.scripted import Says, Scripted, fails

LISTS: dict[str, type[msgspec.Struct]] = {"refunds": shapes.Refund, "disputes": shapes.Dispute}


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
        _, _, *names = parts.path.split("/")
        if names == ["invoice_payments"]:
            return _listed([one for one in self.shelf.invoice_payments if _fits(one, wanted)])
        if names[0] in LISTS and len(names) == 1:
            every = self.shelf.all(LISTS[names[0]])
            return _listed([one for one in every if getattr(one, "payment_intent", "") == wanted["payment_intent"]])
        found = self.shelf.objects.get(names[-1])
        return Says(body=found) if found else fails(404, type="invalid_request_error", code="resource_missing")


def _fits(one: shapes.InvoicePayment, wanted: dict[str, str]) -> bool:
    asked = wanted.get("payment[payment_intent]")
    return one.invoice == wanted.get("invoice") or (asked is not None and one.payment.payment_intent == asked)


def _listed(found: list[msgspec.Struct] | list[shapes.InvoicePayment]) -> Says:
    return Says(body={"object": "list", "data": found, "has_more": False, "url": "/v1/x"})
