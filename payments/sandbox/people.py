"""Customers, their cards and the clocks they may live by."""

from dataclasses import asdict
from typing import Any

from payments.sandbox.asking import Ask, merged
from payments.sandbox.book import Book, Thing, page_of
from payments.sandbox.cards import Card
from payments.sandbox.errors import no_such


def create_customer(book: Book, ask: Ask) -> Thing:
    clock = ask.text("test_clock")
    if clock:
        book.get("test_helpers.test_clock", clock, "test_clock")
    at = int(book.get("test_helpers.test_clock", clock)["frozen_time"]) if clock else book.now
    made = book.make(
        "customer", "cus", at, address=None, balance=0, currency=None, default_source=None, delinquent=False,
        description=ask.text("description"), email=ask.text("email"), invoice_prefix=book.new_id()[:8].upper(),
        invoice_settings={
            "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
        },
        metadata=ask.metadata(), name=ask.text("name"), next_invoice_sequence=1, phone=ask.text("phone"),
        preferred_locales=[], shipping=None, tax_exempt="none", test_clock=clock,
    )  # fmt: skip
    book.tell("customer.created", made)
    return made


def read_customer(book: Book, ask: Ask) -> Thing:
    """A deleted one says so, and nothing else."""
    return book.get("customer", ask.id)


def update_customer(book: Book, ask: Ask) -> Thing:
    customer = living(book, ask.id, "id")
    for name in ("email", "name", "description", "phone"):
        if name in ask.params:
            customer[name] = ask.text(name)
    if "metadata" in ask.params:
        customer["metadata"] = merged(customer["metadata"], ask.metadata())
    method = ask.inner("invoice_settings").get("default_payment_method")
    if method:
        customer["invoice_settings"]["default_payment_method"] = book.get("payment_method", method)["id"]
    book.change(customer)
    book.tell("customer.updated", customer)
    return customer


def living(book: Book, customer_id: str, param: str = "customer") -> Thing:
    """A customer who was not deleted."""
    customer = book.get("customer", customer_id, param)
    if customer.get("deleted"):
        raise no_such("customer", customer_id, param)
    return customer


def new_card(book: Book, customer: Thing, card: Card) -> Thing:
    """A payment method for one payment: what a customer pays with otherwise stays as it is."""
    kept = asdict(card)
    behaviour = kept.pop("behaviour")
    method = book.make(
        "payment_method", "pm", book.time(customer["id"]), allow_redisplay="limited", billing_details=billing(customer),
        customer=None, metadata={}, type="card", card=_shown_card(**kept),
    )  # fmt: skip
    return book.hide(method, behaviour=behaviour)


def keep_card(book: Book, customer: Thing, card: Card) -> Thing:
    """From now on what the customer pays with."""
    method = book.change(new_card(book, customer, card), customer=customer["id"])
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    book.change(customer)
    book.tell("payment_method.attached", method)
    book.tell("customer.updated", customer)
    return method


def card_of(book: Book, customer: Thing) -> Thing | None:
    """What they pay with."""
    method = customer["invoice_settings"]["default_payment_method"]
    return book.get("payment_method", method) if method else None


def billing(customer: Thing) -> Thing:
    return {
        "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
        "email": customer.get("email"), "name": customer.get("name"), "phone": None, "tax_id": None,
    }  # fmt: skip


def _shown_card(brand: str, last4: str, exp_month: int, exp_year: int) -> dict[str, Any]:
    return {
        "brand": brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US", "display_brand": brand, "exp_month": exp_month, "exp_year": exp_year, "fingerprint": last4,
        "funding": "credit", "generated_from": None, "last4": last4,
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated", "three_d_secure_usage": {"supported": True}, "wallet": None,
    }  # fmt: skip


def cards_of(book: Book, ask: Ask) -> Thing:
    found = book.find("payment_method", customer=living(book, ask.id, "id")["id"])
    return page_of(found, f"/v1/customers/{ask.id}/payment_methods")
