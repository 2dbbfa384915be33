"""Invoices: lines, taxes and credit make what is due; a payment settles it."""

from payments.sandbox import catalog, paying
from payments.sandbox.asking import Ask
from payments.sandbox.book import Book, Thing, page_of
from payments.sandbox.people import card_of

TAX_PERCENT = 20  # of everything, when taxes are asked for; no country's


def line(book: Book, sub: Thing, price: Thing, amount: int, period: tuple[int, int], *, credit: str = "") -> Thing:
    """A line of an invoice. `credit` names what is charged or given back for a part of a period."""
    item, proration = sub["items"]["data"][0], bool(credit)
    described = (
        credit
        or f"1 × {catalog.name_of(book, price)} (at {price['unit_amount'] / 100:.2f} {price['currency'].upper()})"
    )
    parent = {
        "invoice_item": None, "proration": proration, "proration_details": {"credited_items": None},
        "subscription": sub["id"], "subscription_item": item["id"],
    }  # fmt: skip
    return {
        "id": f"il_{book.new_id()}", "object": "line_item", "amount": amount, "currency": sub["currency"],
        "description": described, "discount_amounts": [], "discountable": not proration, "discounts": [],
        "invoice": None, "livemode": False, "metadata": sub["metadata"],
        "parent": {
            "invoice_item_details": None, "subscription_item_details": parent,
            "type": "subscription_item_details",
        },
        "period": {"start": period[0], "end": period[1]}, "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]}, "type": "price_details",
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": item["quantity"], "subscription": sub["id"], "subtotal": amount, "taxes": [],
    }  # fmt: skip


def tax_on(amount: int, *, enabled: bool) -> int:
    return abs(amount) * TAX_PERCENT // 100 * (1 if amount >= 0 else -1) if enabled else 0


def draft(book: Book, sub: Thing, lines: list[Thing], reason: str) -> Thing:
    """An invoice that is not kept yet, and has no id."""
    customer = book.get("customer", sub["customer"])
    at, subtotal = book.time(customer["id"]), sum(one["amount"] for one in lines)
    tax = tax_on(subtotal, enabled=sub["automatic_tax"]["enabled"])
    total, credit = subtotal + tax, customer["balance"]
    due = max(0, total + credit)
    return {
        "object": "invoice", "created": at, "livemode": False, "currency": sub["currency"],
        "customer": customer["id"], "customer_email": customer["email"], "customer_name": customer["name"],
        "billing_reason": reason, "subtotal": subtotal, "subtotal_excluding_tax": subtotal,
        "total": total, "total_excluding_tax": subtotal, "amount_due": due, "amount_remaining": due,
        "starting_balance": credit, "ending_balance": None, "automatic_tax": _automatic(sub),
        "total_taxes": [_tax(tax, subtotal)] if sub["automatic_tax"]["enabled"] else [],
        "lines": page_of(lines, "/v1/invoices/upcoming/lines"), "parent": _parent(sub),
        "period_start": min(one["period"]["start"] for one in lines), "period_end": at,
        "status": "draft", "test_clock": customer["test_clock"], **_standing(),
    }  # fmt: skip


def issue(book: Book, invoice: Thing) -> Thing:
    """Number it and keep it: from now on it is to be paid."""
    customer, at = book.get("customer", invoice["customer"]), invoice["created"]
    number = customer["next_invoice_sequence"]
    credit = invoice["starting_balance"]
    left = min(0, invoice["total"] + credit) if invoice["total"] + credit < 0 else 0
    invoice = book.make("invoice", "in", at, **{name: value for name, value in invoice.items() if name not in
                        {"object", "created", "livemode"}})  # fmt: skip
    for one in invoice["lines"]["data"]:
        one["invoice"] = invoice["id"]
    page = f"{book.url}/invoices/{invoice['id']}?s={book.new_id()}"
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    book.change(
        invoice, number=f"{customer['invoice_prefix']}-{number:04}", status="open", ending_balance=left,
        hosted_invoice_url=page, invoice_pdf=f"{page}&pdf=1", effective_at=at,
        status_transitions={"finalized_at": at, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
    )  # fmt: skip
    book.change(customer, next_invoice_sequence=number + 1, balance=left, currency=invoice["currency"])
    book.tell("invoice.created", invoice)
    book.tell("invoice.finalized", invoice)
    return invoice


def collect(
    book: Book, invoice: Thing, *, off_session: bool, description: str, confirmed: bool = False
) -> paying.Outcome:
    """Try to have it paid with the customer's card. One of nothing is paid at once."""
    if invoice["amount_due"] == 0:
        return _settle(book, invoice, None)
    customer = book.get("customer", invoice["customer"])
    method = card_of(book, customer)
    payment, link = _payment_for(book, invoice, customer, description)
    book.change(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if method is None:
        return "failed"
    outcome = paying.attempt(book, payment, method, off_session=off_session, confirmed=confirmed)
    if outcome == "succeeded":
        return _settle(book, invoice, link)
    book.tell("invoice.payment_failed" if outcome == "failed" else "invoice.payment_action_required", invoice)
    return outcome


def _payment_for(book: Book, invoice: Thing, customer: Thing, description: str) -> tuple[Thing, Thing]:
    """The payment of an invoice, with the link between both: the same at each attempt."""
    for link in book.find("invoice_payment", invoice=invoice["id"]):
        return book.get("payment_intent", link["payment"]["payment_intent"]), link
    payment = paying.new_payment(
        book, customer, invoice["amount_due"], invoice["currency"], metadata={}, description=description
    )
    link = book.make(
        "invoice_payment", "inpay", invoice["created"], amount_paid=None, amount_requested=invoice["amount_due"],
        currency=invoice["currency"], invoice=invoice["id"], is_default=True,
        payment={"type": "payment_intent", "payment_intent": payment["id"]}, status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )  # fmt: skip
    return payment, link


def _settle(book: Book, invoice: Thing, link: Thing | None) -> paying.Outcome:
    at = book.time(invoice["customer"])
    if link is not None:
        book.change(link, status="paid", amount_paid=invoice["amount_due"],
                    status_transitions={"canceled_at": None, "paid_at": at})  # fmt: skip
        book.tell("invoice_payment.paid", link)
    transitions = {**invoice["status_transitions"], "paid_at": at}
    book.change(
        invoice, status="paid", amount_paid=invoice["amount_due"], amount_remaining=0, attempted=True,
        next_payment_attempt=None, status_transitions=transitions, auto_advance=False,
    )  # fmt: skip
    book.tell("invoice.paid", invoice)
    book.tell("invoice.payment_succeeded", invoice)
    return "succeeded"


def void(book: Book, invoice: Thing) -> None:
    if invoice["status"] == "open":
        transitions = {**invoice["status_transitions"], "voided_at": book.time(invoice["customer"])}
        book.change(invoice, status="void", next_payment_attempt=None, status_transitions=transitions)
        book.tell("invoice.voided", invoice)


def read_invoice(book: Book, ask: Ask) -> Thing:
    return book.get("invoice", ask.id)


def _parent(sub: Thing) -> Thing:
    return {
        "quote_details": None, "type": "subscription_details",
        "subscription_details": {
            "metadata": sub["metadata"], "subscription": sub["id"], "subscription_proration_date": None,
        },
    }  # fmt: skip


def _automatic(sub: Thing) -> Thing:
    enabled = sub["automatic_tax"]["enabled"]
    return {
        "disabled_reason": None, "enabled": enabled, "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None, "status": "complete" if enabled else None,
    }  # fmt: skip


def _tax(amount: int, taxable: int) -> Thing:
    return {
        "amount": amount, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": "txr_sandbox"},
        "taxability_reason": "standard_rated", "taxable_amount": taxable, "type": "tax_rate_details",
    }  # fmt: skip


def _standing() -> Thing:
    """What is the same in every invoice of ours."""
    nothing = (
        "account_tax_ids application automatically_finalizes_at customer_address customer_phone customer_shipping "
        "default_payment_method default_source description due_date effective_at footer from_invoice "
        "hosted_invoice_url invoice_pdf last_finalization_error latest_revision next_payment_attempt number "
        "on_behalf_of receipt_number rendering shipping_cost shipping_details statement_descriptor "
        "webhooks_delivered_at custom_fields threshold_reason"
    )
    return {
        **dict.fromkeys(nothing.split()), "account_country": "DE", "account_name": "Footlight (sandbox)",
        "amount_overpaid": 0, "amount_paid": 0, "amount_shipping": 0, "attempt_count": 0, "attempted": False,
        "auto_advance": True, "collection_method": "charge_automatically", "customer_tax_exempt": "none",
        "customer_tax_ids": [], "default_tax_rates": [], "discounts": [], "issuer": {"type": "self"}, "metadata": {},
        "payment_settings": {
            "default_mandate": None, "payment_method_options": None, "payment_method_types": None,
        },
        "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0,
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "total_discount_amounts": [], "total_pretax_credit_amounts": [],
    }  # fmt: skip
