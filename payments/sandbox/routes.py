"""The addresses of `api.stripe.com` that the sandbox has. Each takes what stripe-python declares for it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import stripe.params as takes
from stripe.params import billing_portal, checkout, test_helpers

from payments.sandbox import (
    balance,
    catalog,
    checkouts,
    clocks,
    connect,
    invoices,
    listing,
    people,
    portal,
    refunds,
    subscriptions,
)
from payments.sandbox.asking import Ask
from payments.sandbox.book import Book, Thing
from payments.sandbox.errors import Refused

Handler = Callable[[Book, Ask], Thing]
ANYWHERE = {"expand"}
ALWAYS_LISTED = {"limit", "starting_after", "ending_before", "created", "expand"}
ID = re.compile(r"\{id\}")


@dataclass(frozen=True, slots=True)
class Route:
    """`known` are the names of its parameters."""

    method: str
    path: re.Pattern[str]
    handler: Handler
    known: frozenset[str]


def _route(method: str, path: str, handler: Handler, declared: Any = None) -> Route:
    pattern = re.compile("/v1/" + ID.sub("([A-Za-z0-9_]+)", path))
    names = set(declared.__annotations__) if declared else set()
    return Route(method, pattern, handler, frozenset(names | ANYWHERE))


def _list(path: str, kind: str, *by: str, declared: Any, also: Callable[[Ask], listing.Keep] | None = None) -> Route:
    made = _route("GET", path, listing.lister(kind, f"/v1/{path}", *by, also=also), declared)
    return Route(made.method, made.path, made.handler, made.known | ALWAYS_LISTED)


def _read(path: str, kind: str) -> Route:
    return _route("GET", path + "/{id}", lambda book, ask: book.get(kind, ask.id))


ROUTES = (
    _route("POST", "customers", people.create_customer, takes.CustomerCreateParams),
    _list("customers", "customer", "test_clock", declared=takes.CustomerListParams),
    _route("GET", "customers/{id}", people.read_customer),
    _route("POST", "customers/{id}", people.update_customer, takes.CustomerModifyParams),
    _route("DELETE", "customers/{id}", subscriptions.delete_customer),
    _route("GET", "customers/{id}/payment_methods", people.cards_of, takes.CustomerListPaymentMethodsParams),
    _read("payment_methods", "payment_method"),
    _route("POST", "products", catalog.create_product, takes.ProductCreateParams),
    _list("products", "product", declared=takes.ProductListParams),
    _read("products", "product"),
    _route("POST", "prices", catalog.create_price, takes.PriceCreateParams),
    _list("prices", "price", declared=takes.PriceListParams, also=listing.prices),
    _read("prices", "price"),
    _route("POST", "checkout/sessions", checkouts.create_session, checkout.SessionCreateParams),
    _list("checkout/sessions", "checkout.session", "customer", "payment_intent", "subscription", "status",
          declared=checkout.SessionListParams),
    _route("GET", "checkout/sessions/{id}", checkouts.read_session),
    _route("POST", "checkout/sessions/{id}/expire", checkouts.expire_session),
    _route("GET", "checkout/sessions/{id}/line_items", checkouts.lines_of, checkout.SessionListLineItemsParams),
    _route("POST", "billing_portal/sessions", portal.create_visit, billing_portal.SessionCreateParams),
    _list("payment_intents", "payment_intent", "customer", declared=takes.PaymentIntentListParams),
    _read("payment_intents", "payment_intent"),
    _list("charges", "charge", "customer", "payment_intent", declared=takes.ChargeListParams),
    _read("charges", "charge"),
    _read("balance_transactions", "balance_transaction"),
    _list("balance_transactions", "balance_transaction", "type", declared=takes.BalanceTransactionListParams),
    _route("GET", "balance", balance.read_balance),
    _list("invoices", "invoice", "customer", "subscription", "status", declared=takes.InvoiceListParams),
    _route("POST", "invoices/create_preview", subscriptions.preview, takes.InvoiceCreatePreviewParams),
    _route("GET", "invoices/{id}", invoices.read_invoice),
    _route("GET", "invoice_payments", listing.invoice_payments, takes.InvoicePaymentListParams),
    _read("invoice_payments", "invoice_payment"),
    _list("subscriptions", "subscription", "customer", "test_clock", declared=takes.SubscriptionListParams,
          also=listing.subscriptions),
    _route("GET", "subscriptions/{id}", subscriptions.read_subscription),
    _route("POST", "subscriptions/{id}", subscriptions.update_subscription, takes.SubscriptionModifyParams),
    _route("DELETE", "subscriptions/{id}", subscriptions.cancel_subscription, takes.SubscriptionCancelParams),
    _route("POST", "refunds", refunds.create_refund, takes.RefundCreateParams),
    _list("refunds", "refund", "charge", "payment_intent", declared=takes.RefundListParams),
    _read("refunds", "refund"),
    _list("disputes", "dispute", "charge", "payment_intent", declared=takes.DisputeListParams),
    _read("disputes", "dispute"),
    _route("POST", "accounts", connect.create_account, takes.AccountCreateParams),
    _read("accounts", "account"),
    _route("POST", "accounts/{id}", connect.update_account, takes.AccountUpdateParams),
    _list("accounts", "account", declared=takes.AccountListParams),
    _route("POST", "account_links", connect.create_link, takes.AccountLinkCreateParams),
    _route("POST", "transfers", connect.create_transfer, takes.TransferCreateParams),
    _list("transfers", "transfer", "destination", "transfer_group", declared=takes.TransferListParams),
    _read("transfers", "transfer"),
    _route("POST", "transfers/{id}/reversals", connect.reverse_transfer, takes.TransferCreateReversalParams),
    _list("events", "event", declared=takes.EventListParams, also=listing.events),
    _read("events", "event"),
    _route("POST", "test_helpers/test_clocks", clocks.create_clock, test_helpers.TestClockCreateParams),
    _list("test_helpers/test_clocks", clocks.KIND, declared=test_helpers.TestClockListParams),
    _route("GET", "test_helpers/test_clocks/{id}", clocks.read_clock),
    _route("POST", "test_helpers/test_clocks/{id}/advance", clocks.advance_clock, test_helpers.TestClockAdvanceParams),
)  # fmt: skip


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route and the ids in the path. Raises `Refused` (404) for what the sandbox does not have."""
    for route in ROUTES:
        if route.method == method and (found := route.path.fullmatch(path)):
            return route, found.groups()
    raise Refused(
        f"Unrecognized request URL ({method}: {path}). This is the sandbox: it has only what Footlight asks for.",
        status=404, kept=False,
    )  # fmt: skip


def answer(book: Book, route: Route, ids: tuple[str, ...], params: Thing) -> Thing:
    """What Stripe would answer. Raises `Refused`; then nothing of it has happened, if the caller takes it back."""
    if unknown := sorted(set(params) - route.known):
        raise Refused(
            f"Received unknown parameter: {unknown[0]}", code="parameter_unknown", param=unknown[0], kept=False
        )
    ask = Ask(params, ids)
    return listing.expanded(book, route.handler(book, ask), [str(one) for one in ask.listed("expand")])
