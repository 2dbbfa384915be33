"""Test clocks: a customer's time, which goes on when it is told to. Everything due on the way happens, in order."""

from payments.sandbox import billing
from payments.sandbox.asking import Ask
from payments.sandbox.book import Book, Thing
from payments.sandbox.errors import Refused, missing

KIND = "test_helpers.test_clock"
KEPT_SECONDS = 30 * 24 * 3600
MOST_STEPS = 5_000  # a hundred years of weeks


def create_clock(book: Book, ask: Ask) -> Thing:
    at = ask.number("frozen_time", 1)
    if at is None:
        raise missing("frozen_time")
    return new_clock(book, at, ask.text("name"))


def new_clock(book: Book, at: int, name: str | None) -> Thing:
    made = book.make(
        KIND, "clock", book.now, deletes_after=book.now + KEPT_SECONDS, frozen_time=at, name=name, status="ready",
        status_details={},
    )  # fmt: skip
    book.tell("test_helpers.test_clock.created", made)
    return made


def read_clock(book: Book, ask: Ask) -> Thing:
    return book.get(KIND, ask.id)


def advance_clock(book: Book, ask: Ask) -> Thing:
    """Answered as Stripe does, which takes its time (`advancing`); here everything has happened by then."""
    clock, until = book.get(KIND, ask.id), ask.number("frozen_time", 1)
    if until is None:
        raise missing("frozen_time")
    return {**move_to(book, clock, until), "status": "advancing"}


def move_to(book: Book, clock: Thing, until: int) -> Thing:
    """Raises `Refused` for a time that has passed."""
    if until < clock["frozen_time"]:
        raise Refused("Time cannot go backwards on a test clock.", param="frozen_time")
    for _ in range(MOST_STEPS):
        due = next((one for one in _living_by(book, clock) if one["_"]["due"] <= until), None)
        if due is None:
            break
        book.change(clock, frozen_time=max(clock["frozen_time"], due["_"]["due"]))
        billing.act(book, due)
    book.change(clock, frozen_time=until)
    book.tell("test_helpers.test_clock.ready", clock)
    return clock


def clock_of(book: Book, customer: Thing) -> Thing:
    """The customer's clock, from now on if they had none: Stripe would want it named when a customer is made."""
    if customer["test_clock"]:
        return book.get(KIND, customer["test_clock"])
    clock = new_clock(book, book.now, f"Clock of {customer['email'] or customer['id']}")
    book.change(customer, test_clock=clock["id"])
    for sub in book.find("subscription", customer=customer["id"]):
        book.change(sub, test_clock=clock["id"])
    return clock


def _living_by(book: Book, clock: Thing) -> list[Thing]:
    """What happens to whom, the earliest first."""
    return [one for one in book.rows.due(None) if one["object"] == "subscription" and one["test_clock"] == clock["id"]]
