"""What a developer or a test makes happen here that at Stripe a bank, a person or time would bring about."""

from typing import Literal

from payments.sandbox import balance, billing, checkouts, clocks, connect, disputes, refunds
from payments.sandbox.book import Book, Thing
from payments.sandbox.cards import Decline, moment, read_card
from payments.sandbox.errors import Refused
from payments.sandbox.people import living


def pay(book: Book, session_id: str, number: str) -> Decline | None:
    """Pay as somebody at the page would, who also says yes to their bank. Raises `CardWrong`, `Refused`."""
    session = book.get("checkout.session", session_id)
    if session["status"] == "expired":
        raise Refused("This payment page has closed.")
    card = read_card(number, "12/34", "123", moment(book.now))
    return checkouts.submit(book, session, card, confirmed=True)


def dispute_payment(book: Book, payment_id: str) -> Thing:
    payment = book.get("payment_intent", payment_id)
    if payment["status"] != "succeeded":
        raise Refused("Only what was paid can be disputed.")
    return disputes.open_dispute(book, book.get("charge", payment["latest_charge"]))


def decide_dispute(book: Book, dispute_id: str, outcome: Literal["won", "lost"]) -> Thing:
    return disputes.close_dispute(book, book.get("dispute", dispute_id), outcome)


def fail_refund(book: Book, refund_id: str) -> Thing:
    return refunds.fail_refund(book, book.get("refund", refund_id))


def advance(book: Book, customer_id: str, seconds: int) -> Thing:
    """Let time pass for a customer. They get a clock of their own with that, if they had none."""
    if seconds < 0:
        raise Refused("Time cannot go backwards on a test clock.")
    clock = clocks.clock_of(book, living(book, customer_id, "id"))
    return clocks.move_to(book, clock, clock["frozen_time"] + seconds)


def restrict(book: Book, account_id: str) -> Thing:
    return connect.restrict(book, book.get("account", account_id))


def top_up(book: Book, amount: int, currency: str) -> Thing:
    """Money on our balance that nobody paid."""
    return balance.move(book, book.now, amount, currency, 0, type="topup", source=None)


def pay_open(book: Book, subscription_id: str) -> bool:
    return billing.pay_now(book, book.get("subscription", subscription_id))


def resend(book: Book, event_id: str) -> None:
    book.rows.deliver(book.get("event", event_id)["id"], book.now)
