"""What time does: periods end and are renewed, failed cards are tried again, payment pages close.

A card that fails is tried four times, at 0, 3, 7 and 14 days; then the subscription is over.
"""

from payments.sandbox import checkouts, invoices, subscriptions
from payments.sandbox.book import Book, Thing
from payments.sandbox.periods import in_days

PAUSES_DAYS = (3, 4, 7)  # between the four tries
RENEWED = "Subscription update"


def due_now(book: Book) -> list[Thing]:
    """What is due of those who live by the real time. Payment pages always do."""
    due = book.rows.due(book.now)
    return [one for one in due if one["object"] == "checkout.session" or not _has_clock(book, one)]


def act(book: Book, thing: Thing) -> None:
    """What is due of one object, at the time that it is for its customer."""
    if thing["object"] == "checkout.session":
        checkouts.expire(book, thing)
    elif thing["status"] == "past_due":
        _try_again(book, thing)
    elif thing["cancel_at_period_end"]:
        subscriptions.end(book, thing, "cancellation_requested")
    else:
        _renew(book, thing)


def pay_now(book: Book, sub: Thing) -> bool:
    """Somebody is there with another card: try what is open."""
    for invoice in book.find("invoice", subscription=sub["id"], status="open"):
        if invoices.collect(book, invoice, off_session=False, description=RENEWED, confirmed=True) != "succeeded":
            return False
    _follow(book, sub, "succeeded")
    return True


def _has_clock(book: Book, thing: Thing) -> bool:
    customer = book.rows.load(thing["customer"]) if thing.get("customer") else None
    return bool(customer and customer.get("test_clock"))


def _renew(book: Book, sub: Thing) -> None:
    start = sub["items"]["data"][0]["current_period_end"]
    if sub["status"] == "trialing":
        sub.update(status="active", billing_cycle_anchor=start)
    subscriptions.start_period(book, sub, start)
    item = sub["items"]["data"][0]
    period = (start, item["current_period_end"])
    charged = invoices.line(book, sub, item["price"], item["price"]["unit_amount"], period)
    invoice = invoices.issue(book, invoices.draft(book, sub, [charged], "subscription_cycle"))
    book.change(sub, latest_invoice=invoice["id"])
    outcome = invoices.collect(book, invoice, off_session=True, description=RENEWED)
    _follow(book, sub, outcome)


def _try_again(book: Book, sub: Thing) -> None:
    for invoice in book.find("invoice", subscription=sub["id"], status="open"):
        if invoices.collect(book, invoice, off_session=True, description=RENEWED) != "succeeded":
            _follow(book, sub, "failed")
            return
    _follow(book, sub, "succeeded")


def _follow(book: Book, sub: Thing, outcome: str) -> None:
    if outcome == "succeeded":
        book.hide(sub, retry_at=None, tries=0)
        book.change(sub, status="active")
    else:
        tries = (book.note(sub, "tries") or 0) + 1
        if tries > len(PAUSES_DAYS):
            subscriptions.end(book, sub, "payment_failed")
            return
        at = book.time(sub["customer"]) + in_days(PAUSES_DAYS[tries - 1])
        book.hide(sub, tries=tries, retry_at=at)
        book.change(sub, status="past_due")
        invoice = book.get("invoice", sub["latest_invoice"])
        book.change(invoice, next_payment_attempt=at)
        book.tell("invoice.updated", invoice, next_payment_attempt=None)
    subscriptions.set_due(book, sub)
    book.tell("customer.subscription.updated", sub)
