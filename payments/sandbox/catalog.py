"""Products and what they cost."""

from payments.sandbox.asking import Ask, whole
from payments.sandbox.book import Book, Thing
from payments.sandbox.encoding import is_true
from payments.sandbox.errors import Refused, invalid, missing

INTERVALS = ("day", "week", "month", "year")
CURRENCY_LETTERS = 3


def create_product(book: Book, ask: Ask) -> Thing:
    made = new_product(book, ask.need("name"), ask.metadata())
    book.tell("product.created", made)
    return made


def new_product(book: Book, name: str, metadata: dict[str, str]) -> Thing:
    return book.make(
        "product", "prod", book.now, active=True, default_price=None, description=None, images=[],
        marketing_features=[], metadata=metadata, name=name, package_dimensions=None, shippable=None,
        statement_descriptor=None, tax_code=None, type="service", unit_label=None, updated=book.now, url=None,
    )  # fmt: skip


def create_price(book: Book, ask: Ask) -> Thing:
    key = ask.text("lookup_key")
    if key and not is_true(ask.text("transfer_lookup_key")):
        _require_free(book, key)
    product = _product_of(book, ask.text("product"), ask.inner("product_data"))
    amount = ask.number("unit_amount")
    if amount is None:
        raise missing("unit_amount")
    made = new_price(
        book, product, ask.need("currency"), amount, ask.inner("recurring"), ask.text("tax_behavior"),
        lookup_key=key, metadata=ask.metadata(), nickname=ask.text("nickname"),
    )  # fmt: skip
    book.tell("price.created", made)
    return made


def new_price(
    book: Book, product: Thing, currency: str, amount: int, recurring: Thing, tax: str | None, **more: object
) -> Thing:
    """`recurring` is empty for what is paid once."""
    fields: Thing = {"lookup_key": None, "metadata": {}, "nickname": None, "active": True, **more}
    return book.make(
        "price", "price", book.now, billing_scheme="per_unit", currency=_currency(currency), custom_unit_amount=None,
        product=product["id"], recurring=_recurring(recurring), tax_behavior=tax or "unspecified", tiers_mode=None,
        transform_quantity=None, type="recurring" if recurring else "one_time", unit_amount=amount,
        unit_amount_decimal=str(amount), **fields,
    )  # fmt: skip


def price_from(book: Book, wanted: Thing) -> Thing:
    """The price of a line: one that is there, or one made for it alone (`price_data`)."""
    if "price" in wanted:
        return book.get("price", str(wanted["price"]), "line_items[0][price]")
    described = wanted.get("price_data")
    if not isinstance(described, dict):
        raise missing("line_items[0][price]")
    given = Ask(described)
    product = _product_of(book, given.text("product"), given.inner("product_data"))
    amount = whole(given.need("unit_amount"), "line_items[0][price_data][unit_amount]")
    return new_price(
        book, product, given.need("currency"), amount, given.inner("recurring"), given.text("tax_behavior"),
        active=False,
    )  # fmt: skip


def name_of(book: Book, price: Thing) -> str:
    return str(book.get("product", price["product"])["name"])


def _product_of(book: Book, product_id: str | None, described: Thing) -> Thing:
    if product_id:
        return book.get("product", product_id, "product")
    given = Ask(described)
    return new_product(book, given.need("name"), given.metadata())


def _require_free(book: Book, key: str) -> None:
    if any(price["active"] for price in book.find("price", lookup_key=key)):
        raise Refused(
            f"A price (`{key}`) already uses that lookup key.", code="resource_already_exists", param="lookup_key"
        )


def _recurring(wanted: Thing) -> Thing | None:
    if not wanted:
        return None
    interval = wanted.get("interval")
    if interval not in INTERVALS:
        raise invalid(f"Invalid interval: must be one of {', '.join(INTERVALS)}", "recurring[interval]")
    count = whole(wanted.get("interval_count", 1), "recurring[interval_count]", 1)
    return {
        "interval": interval, "interval_count": count, "meter": None, "trial_period_days": None,
        "usage_type": "licensed",
    }  # fmt: skip


def _currency(text: str) -> str:
    if len(text) != CURRENCY_LETTERS or not text.isalpha():
        raise invalid(f"Invalid currency: {text}", "currency")
    return text.lower()
