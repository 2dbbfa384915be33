"""Subscriptions: begun, changed, ended by a request. What time does to them is in `billing.py`."""

from payments.sandbox import catalog, invoices, periods
from payments.sandbox.asking import Ask, merged, whole
from payments.sandbox.book import Book, Thing, page_of
from payments.sandbox.encoding import is_true
from payments.sandbox.errors import Refused, declined, invalid
from payments.sandbox.people import living

OVER = ("canceled", "incomplete_expired")
BEGUN, CHANGED = "Subscription creation", "Subscription update"


def begin(
    book: Book, customer: Thing, price: Thing, *, metadata: dict[str, str], trial_days: int, tax: bool, confirmed: bool
) -> tuple[Thing, Thing]:
    """A subscription whose first period is paid, with its invoice. The card was found to pay before."""
    at = book.time(customer["id"])
    ends = at + periods.in_days(trial_days) if trial_days else periods.period_end(at, at, price["recurring"])
    sub = book.make(
        "subscription", "sub", at, billing_cycle_anchor=ends if trial_days else at, currency=price["currency"],
        customer=customer["id"], metadata=metadata, start_date=at, status="trialing" if trial_days else "active",
        automatic_tax={"disabled_reason": None, "enabled": tax, "liability": {"type": "self"} if tax else None},
        trial_start=at if trial_days else None, trial_end=ends if trial_days else None,
        test_clock=customer["test_clock"], **_standing(),
    )  # fmt: skip
    item = _item(book, sub, price, (at, ends))
    book.change(sub, items=page_of([item], f"/v1/subscription_items?subscription={sub['id']}"))
    set_due(book, sub)
    amount = 0 if trial_days else price["unit_amount"]
    first = invoices.draft(book, sub, [invoices.line(book, sub, price, amount, (at, ends))], "subscription_create")
    invoice = invoices.issue(book, first)
    book.change(sub, latest_invoice=invoice["id"])
    book.tell("customer.subscription.created", sub)
    invoices.collect(book, invoice, off_session=False, description=BEGUN, confirmed=confirmed)
    return sub, book.get("invoice", invoice["id"])


def read_subscription(book: Book, ask: Ask) -> Thing:
    return book.get("subscription", ask.id)


def update_subscription(book: Book, ask: Ask) -> Thing:
    sub = _running(book, ask.id)
    if "metadata" in ask.params:
        sub["metadata"] = merged(sub["metadata"], ask.metadata())
    if "cancel_at_period_end" in ask.params:
        _end_with_period(book, sub, ends=is_true(ask.params["cancel_at_period_end"]))
    if items := ask.listed("items"):
        _change_price(book, sub, items, ask)
    book.change(sub)
    set_due(book, sub)
    book.tell("customer.subscription.updated", sub)
    return sub


def cancel_subscription(book: Book, ask: Ask) -> Thing:
    sub = _running(book, ask.id)
    end(book, sub, "cancellation_requested")
    return sub


def delete_customer(book: Book, ask: Ask) -> Thing:
    """What they subscribed to is over with that."""
    customer = living(book, ask.id, "id")
    for sub in book.find("subscription", customer=customer["id"]):
        if sub["status"] not in OVER:
            end(book, sub, "cancellation_requested")
    book.tell("customer.deleted", customer)
    for name in [name for name in customer if name not in {"id", "object"}]:
        del customer[name]
    return book.change(customer, deleted=True)


def preview(book: Book, ask: Ask) -> Thing:
    """The invoice that a change would make."""
    sub = _running(book, ask.need("subscription"))
    details = ask.inner("subscription_details")
    items = Ask(details).listed("items")
    if not items:
        price = sub["items"]["data"][0]["price"]
        start = sub["items"]["data"][0]["current_period_end"]
        ends = periods.period_end(sub["billing_cycle_anchor"], start, price["recurring"])
        lines = [invoices.line(book, sub, price, price["unit_amount"], (start, ends))]
    else:
        price, at = _wanted_price(book, sub, items), _prorated_at(book, sub, Ask(details))
        lines = _difference(book, sub, price, at)
    return {**invoices.draft(book, sub, lines, "upcoming"), "id": f"upcoming_in_{book.new_id()}"}


def end(book: Book, sub: Thing, reason: str) -> None:
    """It is over now. What is owed is not asked for again."""
    at = book.time(sub["customer"])
    for invoice in book.find("invoice", subscription=sub["id"], status="open"):
        book.change(invoice, next_payment_attempt=None, auto_advance=False)
    details = {**sub["cancellation_details"], "reason": reason}
    book.change(sub, status="canceled", canceled_at=sub["canceled_at"] or at, ended_at=at, cancellation_details=details)
    book.hide(sub, due=None)
    book.tell("customer.subscription.deleted", sub)


def set_due(book: Book, sub: Thing) -> None:
    """When `billing.py` looks at it again."""
    due = None if sub["status"] in OVER else sub["items"]["data"][0]["current_period_end"]
    book.hide(sub, due=book.note(sub, "retry_at") if sub["status"] == "past_due" else due)


def start_period(book: Book, sub: Thing, start: int) -> None:
    item = sub["items"]["data"][0]
    ends = periods.period_end(sub["billing_cycle_anchor"], start, item["price"]["recurring"])
    item.update(current_period_start=start, current_period_end=ends)
    book.change(sub)


def _running(book: Book, subscription_id: str) -> Thing:
    sub = book.get("subscription", subscription_id)
    if sub["status"] in OVER:
        raise Refused(f"No such subscription: '{subscription_id}'", status=404, code="resource_missing", param="id")
    return sub


def _end_with_period(book: Book, sub: Thing, *, ends: bool) -> None:
    item, at = sub["items"]["data"][0], book.time(sub["customer"])
    reason = "cancellation_requested" if ends else None
    sub.update(
        cancel_at_period_end=ends, cancel_at=item["current_period_end"] if ends else None,
        canceled_at=at if ends else None, cancellation_details={**sub["cancellation_details"], "reason": reason},
    )  # fmt: skip


def _change_price(book: Book, sub: Thing, items: list[Thing], ask: Ask) -> None:
    """Another plan, from now on. What it costs is paid at once, or with `error_if_incomplete` nothing changes."""
    price, at = _wanted_price(book, sub, items), _prorated_at(book, sub, ask)
    item = sub["items"]["data"][0]
    lines = _difference(book, sub, price, at)
    trialing, same = sub["status"] == "trialing", _same_rhythm(item["price"], price)
    item.update(price=_shown(price), plan=plan_of(price))
    if not same and not trialing:
        sub["billing_cycle_anchor"] = at
        start_period(book, sub, at)
    book.change(sub)
    if ask.text("proration_behavior") == "none" or trialing:
        return
    invoice = invoices.issue(book, invoices.draft(book, sub, lines, "subscription_update"))
    book.change(sub, latest_invoice=invoice["id"])
    outcome = invoices.collect(book, invoice, off_session=True, description=CHANGED)
    if outcome == "succeeded":
        return
    if ask.text("payment_behavior") == "error_if_incomplete":
        raise _refusal(book, invoice)
    book.change(sub, status="past_due")


def _refusal(book: Book, invoice: Thing) -> Refused:
    """Raised, so that everything that was written is taken back."""
    links = book.find("invoice_payment", invoice=invoice["id"])
    payment = book.get("payment_intent", links[0]["payment"]["payment_intent"]) if links else None
    error = (payment or {}).get("last_payment_error")
    if error is None:
        return declined("card_declined", "generic_decline", "This customer has no card to pay with.")
    return declined(error["code"], error["decline_code"], error["message"])


def _wanted_price(book: Book, sub: Thing, items: list[Thing]) -> Thing:
    item = sub["items"]["data"][0]
    wanted = items[0] if isinstance(items[0], dict) else {}
    if len(items) != 1 or wanted.get("id", item["id"]) != item["id"]:
        raise invalid("The sandbox sells one thing with each subscription.", "items")
    price = book.get("price", str(wanted.get("price", item["price"]["id"])), "items[0][price]")
    if not price["recurring"]:
        raise invalid("The price specified is set to `type=one_time` but this field only accepts prices with "
                      "`type=recurring`.", "items[0][price]")  # fmt: skip
    return price


def _prorated_at(book: Book, sub: Thing, ask: Ask) -> int:
    item, at = sub["items"]["data"][0], book.time(sub["customer"])
    said = ask.params.get("proration_date")
    if said is None:
        return at
    when = whole(said, "proration_date")
    if not item["current_period_start"] <= when <= item["current_period_end"]:
        raise invalid("Cannot specify proration date outside of current subscription period.", "proration_date")
    return when


def _difference(book: Book, sub: Thing, price: Thing, at: int) -> list[Thing]:
    """What is left of the old plan is given back; the new one is charged for as long as it runs."""
    item, old = sub["items"]["data"][0], sub["items"]["data"][0]["price"]
    start, ends = item["current_period_start"], item["current_period_end"]
    paid = 0 if sub["status"] == "trialing" else old["unit_amount"]
    unused = periods.part_left(paid, start, ends, at)
    names = catalog.name_of(book, old), catalog.name_of(book, price)
    back = invoices.line(book, sub, old, -unused, (at, ends), credit=f"Unused time on {names[0]}")
    if _same_rhythm(old, price):
        due = periods.part_left(price["unit_amount"], start, ends, at) if paid else 0
        return [back, invoices.line(book, sub, price, due, (at, ends), credit=f"Remaining time on {names[1]}")]
    until = periods.period_end(at, at, price["recurring"])
    return [back, invoices.line(book, sub, price, price["unit_amount"], (at, until))]


def _same_rhythm(one: Thing, other: Thing) -> bool:
    return all(one["recurring"][name] == other["recurring"][name] for name in ("interval", "interval_count"))


def _item(book: Book, sub: Thing, price: Thing, period: tuple[int, int]) -> Thing:
    return {
        "id": f"si_{book.new_id()}", "object": "subscription_item", "billing_thresholds": None,
        "created": sub["created"], "current_period_start": period[0], "current_period_end": period[1],
        "discounts": [], "metadata": {}, "plan": plan_of(price), "price": _shown(price), "quantity": 1,
        "subscription": sub["id"], "tax_rates": [],
    }  # fmt: skip


def _shown(price: Thing) -> Thing:
    return {name: value for name, value in price.items() if name != "_"}


def plan_of(price: Thing) -> Thing:
    """The old name of a recurring price."""
    recurring = price["recurring"]
    return {
        "id": price["id"], "object": "plan", "active": True, "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"], "billing_scheme": "per_unit", "created": price["created"],
        "currency": price["currency"], "interval": recurring["interval"],
        "interval_count": recurring["interval_count"], "livemode": False, "metadata": {}, "meter": None,
        "nickname": None, "product": price["product"], "tiers_mode": None, "transform_usage": None,
        "trial_period_days": None, "usage_type": "licensed",
    }  # fmt: skip


def _standing() -> Thing:
    """What is the same in every subscription of ours when it begins."""
    nothing = (
        "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at "
        "days_until_due default_payment_method default_source description ended_at latest_invoice "
        "next_pending_invoice_item_invoice on_behalf_of pause_collection pending_invoice_item_interval "
        "pending_setup_intent pending_update schedule transfer_data"
    )
    return {
        **dict.fromkeys(nothing.split()), "billing_mode": {"type": "classic", "flexible": None},
        "billing_schedules": [], "cancel_at_period_end": False,
        "cancellation_details": dict.fromkeys(("comment", "feedback", "feedback_option", "reason")),
        "collection_method": "charge_automatically", "default_tax_rates": [], "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "payment_settings": {
            "payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off",
        },
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }  # fmt: skip
