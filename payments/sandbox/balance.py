"""Our balance at Stripe: every change of it is an object of its own."""

from payments.sandbox.asking import Ask
from payments.sandbox.book import Book, Thing

AVAILABLE_AFTER_SECONDS = 7 * 24 * 3600


def move(book: Book, at: int, amount: int, currency: str, fee: int, **more: object) -> Thing:
    """A change of our balance. `more`: its `type`, `source` and the like."""
    about = [{"amount": fee, "application": None, "currency": currency, "description": "Stripe processing fees",
              "type": "stripe_fee"}]  # fmt: skip
    fields: Thing = {
        "description": None, "exchange_rate": None, "balance_type": "payments", "status": "pending", **more
    }  # fmt: skip
    return book.make(
        "balance_transaction", "txn", at, amount=amount, available_on=at + AVAILABLE_AFTER_SECONDS, currency=currency,
        fee=fee, fee_details=about if fee else [], net=amount - fee, reporting_category=fields["type"], **fields,
    )  # fmt: skip


def balance_of(book: Book) -> dict[str, int]:
    """What we have, by currency. All of it may be used at once: nobody waits for days here."""
    found: dict[str, int] = {}
    for one in book.find("balance_transaction"):
        found[one["currency"]] = found.get(one["currency"], 0) + one["net"]
    return found


def read_balance(book: Book, _: Ask) -> Thing:
    amounts = [{"amount": amount, "currency": currency, "source_types": {"card": amount}}
               for currency, amount in sorted(balance_of(book).items())]  # fmt: skip
    return {"object": "balance", "available": amounts, "livemode": False, "pending": []}
