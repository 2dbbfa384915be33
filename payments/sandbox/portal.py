"""The billing portal: where people change their card, read bills and cancel."""

from payments.sandbox.asking import Ask
from payments.sandbox.book import Book, Thing
from payments.sandbox.errors import no_such
from payments.sandbox.people import living

OPEN_SECONDS = 3600


def create_visit(book: Book, ask: Ask) -> Thing:
    customer = living(book, ask.need("customer"))
    made = book.make(
        "billing_portal.session", "bps", book.now, configuration="bpc_sandbox", customer=customer["id"], flow=None,
        locale=None, on_behalf_of=None, return_url=ask.text("return_url"), url="",
    )  # fmt: skip
    return book.change(made, url=f"{book.url}/portal/{made['id']}_{book.new_id()}")


def visit_of(book: Book, path: str) -> Thing:
    """By the last part of its address. Raises `Refused` for an unknown one and one that is too old."""
    visit = book.get("billing_portal.session", path.rpartition("_")[0])
    if not visit["url"].endswith(f"/{path}") or visit["created"] + OPEN_SECONDS < book.now:
        raise no_such("portal session", path)
    return visit
