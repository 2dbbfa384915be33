"""Checkout: the visit to a payment page, from its making to the money."""

from payments.sandbox import cards, invoices, paying, subscriptions
from payments.sandbox.asking import Ask, whole
from payments.sandbox.book import Book, Thing, page_of
from payments.sandbox.cards import Card, Decline
from payments.sandbox.catalog import name_of, price_from
from payments.sandbox.encoding import is_true
from payments.sandbox.errors import Refused, invalid, missing
from payments.sandbox.people import create_customer, keep_card, living, new_card

LEAST_OPEN_SECONDS, MOST_OPEN_SECONDS = 30 * 60, 24 * 3600
SKEW_SECONDS = 60
MODES = ("payment", "subscription")


def create_session(book: Book, ask: Ask) -> Thing:
    mode = ask.need("mode")
    if mode not in MODES:
        raise invalid(f"Invalid mode: must be one of {', '.join(MODES)}", "mode")
    customer = living(book, ask.text("customer") or _new_customer(book, ask))
    lines = [_line(book, wanted, mode) for wanted in ask.listed("line_items")]
    if not lines:
        raise missing("line_items")
    tax, subtotal = is_true(ask.inner("automatic_tax").get("enabled")), sum(one["amount_subtotal"] for one in lines)
    added = invoices.tax_on(subtotal, enabled=tax)
    trial = whole(ask.inner("subscription_data").get("trial_period_days", 0), "subscription_data[trial_period_days]")
    expires_at = _expiry(book, ask)
    made = book.make(
        "checkout.session", "cs_test", book.now, amount_subtotal=0 if trial else subtotal,
        amount_total=0 if trial else subtotal + added, automatic_tax={
            "enabled": tax, "liability": {"type": "self"} if tax else None, "provider": "stripe" if tax else None,
            "status": "complete" if tax else None,
        },
        cancel_url=ask.text("cancel_url"), client_reference_id=ask.text("client_reference_id"),
        currency=lines[0]["currency"], customer=customer["id"], expires_at=expires_at,
        metadata=ask.metadata(), mode=mode, status="open", success_url=ask.need("success_url"),
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 if trial else added}, **_standing(),
    )  # fmt: skip
    book.change(made, url=f"{book.url}/checkout/{made['id']}")
    book.hide(
        made, due=expires_at, lines=lines, trial_days=trial,
        subscription_metadata=Ask(ask.inner("subscription_data")).metadata(),
        payment_metadata=Ask(ask.inner("payment_intent_data")).metadata(),
    )  # fmt: skip
    return made


def read_session(book: Book, ask: Ask) -> Thing:
    return book.get("checkout.session", ask.id)


def lines_of(book: Book, ask: Ask) -> Thing:
    session = book.get("checkout.session", ask.id)
    return page_of(book.note(session, "lines"), f"/v1/checkout/sessions/{ask.id}/line_items")


def expire_session(book: Book, ask: Ask) -> Thing:
    session = book.get("checkout.session", ask.id)
    if session["status"] != "open":
        raise Refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"{session['status']}."
        )
    return expire(book, session)


def expire(book: Book, session: Thing) -> Thing:
    """Nobody pays here any more."""
    book.change(session, status="expired", url=None)
    book.hide(session, due=None, waiting=None)
    if payment_id := book.note(session, "payment"):
        paying.cancel(book, book.get("payment_intent", payment_id))
    book.tell("checkout.session.expired", session)
    return session


def submit(book: Book, session: Thing, card: Card, *, confirmed: bool = False) -> Decline | None:
    """Somebody pays. None when it is paid, or when their bank wants to ask them first (`asks`); else what went wrong.

    Whoever is too late, or pays a second time, changes nothing: look at the session's status first.
    """
    if session["status"] != "open":
        return None
    book.hide(session, waiting=None)
    customer = living(book, session["customer"])
    if session["mode"] == "payment":
        return _pay(book, session, customer, card, confirmed=confirmed)
    if decline := cards.decline_of(card.behaviour, off_session=False):
        return decline
    if card.behaviour == "asks" and not confirmed:
        _wait_for_bank(book, session, card)
        return None
    keep_card(book, customer, card)
    _subscribe(book, session, customer, confirmed=confirmed)
    return None


def waiting_card(book: Book, session: Thing) -> Card | None:
    """The card whose bank is being asked."""
    found = book.note(session, "waiting")
    return Card(**found) if found else None


def refuse(book: Book, session: Thing) -> Decline:
    """The bank was told that it was somebody else."""
    if (payment_id := book.note(session, "payment")) and session["status"] == "open":
        payment = book.get("payment_intent", payment_id)
        if payment["payment_method"]:
            method = book.get("payment_method", payment["payment_method"])
            paying.fail(book, payment, method, cards.NOT_AUTHENTICATED)
    book.hide(session, waiting=None)
    return cards.NOT_AUTHENTICATED


def _pay(book: Book, session: Thing, customer: Thing, card: Card, *, confirmed: bool) -> Decline | None:
    payment_id = book.note(session, "payment")
    if payment_id is None:
        payment = paying.new_payment(
            book, customer, session["amount_total"], session["currency"],
            metadata=book.note(session, "payment_metadata"), description=None,
        )  # fmt: skip
        book.hide(session, payment=payment["id"])
    else:
        payment = book.get("payment_intent", payment_id)
    outcome = paying.attempt(book, payment, new_card(book, customer, card), confirmed=confirmed)
    if outcome == "asks":
        _wait_for_bank(book, session, card)
    elif outcome == "succeeded":
        _complete(book, session, payment_intent=payment["id"])
    else:
        error = payment["last_payment_error"]
        return Decline(error["code"], error["decline_code"], error["message"])
    return None


def _subscribe(book: Book, session: Thing, customer: Thing, *, confirmed: bool) -> None:
    price = book.get("price", book.note(session, "lines")[0]["price"]["id"])
    sub, invoice = subscriptions.begin(
        book, customer, price, metadata=book.note(session, "subscription_metadata"),
        trial_days=book.note(session, "trial_days"), tax=session["automatic_tax"]["enabled"], confirmed=confirmed,
    )  # fmt: skip
    _complete(book, session, subscription=sub["id"], invoice=invoice["id"])


def _wait_for_bank(book: Book, session: Thing, card: Card) -> None:
    fields = ("brand", "last4", "exp_month", "exp_year", "behaviour")
    book.hide(session, waiting={name: getattr(card, name) for name in fields})


def _complete(book: Book, session: Thing, **what: str) -> None:
    customer = book.get("customer", session["customer"])
    details = {
        "address": None, "business_name": None, "email": customer["email"], "individual_name": None,
        "name": customer["name"], "phone": None, "tax_exempt": "none", "tax_ids": [],
    }  # fmt: skip
    paid = "paid" if session["amount_total"] else "no_payment_required"
    book.change(session, status="complete", payment_status=paid, url=None, customer_details=details, **what)
    book.hide(session, due=None, waiting=None)
    book.tell("checkout.session.completed", session)


def _new_customer(book: Book, ask: Ask) -> str:
    return str(create_customer(book, Ask({"email": ask.text("customer_email") or "guest@example.com"}))["id"])


def _line(book: Book, wanted: Thing, mode: str) -> Thing:
    price = price_from(book, wanted)
    if (mode == "subscription") != bool(price["recurring"]):
        raise invalid(f"You specified `{mode}` mode but passed a price of type {price['type']}.", "mode")
    quantity = whole(wanted.get("quantity", 1), "line_items[0][quantity]", 1)
    amount = price["unit_amount"] * quantity
    return {
        "id": f"li_{book.new_id()}", "object": "item", "adjustable_quantity": None, "amount_discount": 0,
        "amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "currency": price["currency"],
        "description": name_of(book, price), "metadata": {}, "price": price, "quantity": quantity,
    }  # fmt: skip


def _expiry(book: Book, ask: Ask) -> int:
    said = ask.number("expires_at")
    if said is None:
        return book.now + MOST_OPEN_SECONDS
    if not book.now + LEAST_OPEN_SECONDS - SKEW_SECONDS <= said <= book.now + MOST_OPEN_SECONDS + SKEW_SECONDS:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", "expires_at")
    return said


def _standing() -> Thing:
    """What is the same in every session of ours."""
    nothing = (
        "adaptive_pricing after_expiration allow_promotion_codes billing_address_collection client_secret "
        "collected_information consent consent_collection currency_conversion customer_creation customer_details "
        "customer_email invoice invoice_creation locale origin_context payment_intent payment_link "
        "payment_method_configuration_details permissions recovered_from redirect_on_completion setup_intent "
        "shipping_address_collection shipping_cost submit_type subscription url wallet_options"
    )
    texts = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    return {
        **dict.fromkeys(nothing.split()), "custom_fields": [], "custom_text": dict.fromkeys(texts), "discounts": [],
        "payment_method_collection": "if_required", "payment_method_options": {}, "payment_method_types": ["card"],
        "payment_status": "unpaid", "phone_number_collection": {"enabled": False},
        "saved_payment_method_options": None, "shipping_options": [], "ui_mode": "hosted_page",
    }  # fmt: skip
