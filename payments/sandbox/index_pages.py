"""The sandbox's own page, and what its buttons do."""

from collections.abc import Callable
from typing import Literal

from litestar import Controller, Response, get, post
from litestar.params import FromQuery
from litestar.response import Redirect

from payments.sandbox import doing, refunds
from payments.sandbox.asking import Ask, whole
from payments.sandbox.book import Book, Thing
from payments.sandbox.deliveries import OFF, ON, SWITCH
from payments.sandbox.errors import Refused
from payments.sandbox.hosted_pages import AtDesk
from payments.sandbox.pages.index import index_page
from payments.sandbox.paying_pages import Form, html
from payments.sandbox.people import card_of

KINDS = ("customer", "subscription", "payment_intent", "dispute", "checkout.session", "event")
SHOWN = 12
DONE = {
    "advance": "Time has passed.",
    "refund": "The payment was given back.",
    "dispute": "The payment is disputed.",
    "won": "The dispute is won.",
    "lost": "The dispute is lost.",
    "resend": "The event is sent again.",
    "webhooks-on": "Webhooks are on.",
    "webhooks-off": "Webhooks are kept back.",
}


class Index(Controller):
    @get("/")
    async def show(self, desk: AtDesk, done: FromQuery[str] = "", failed: FromQuery[str] = "") -> Response[str]:
        with desk.open() as book:
            found = {kind: desk.store.latest(kind, SHOWN) for kind in KINDS}
            found["customer"] = [_with_card(book, one) for one in found["customer"] if not one.get("deleted")]
        on = desk.store.setting(SWITCH, ON) == ON if desk.listeners else None
        return html(index_page(found, DONE.get(done) or failed[:200], webhooks=on))

    @post("/do")
    async def do(self, data: Form, desk: AtDesk) -> Redirect:
        action = data.get("action", "")
        try:
            with desk.open() as book:
                _act(book, action, data.get("id", ""), data)
                if action.startswith("webhooks-"):
                    desk.store.set(SWITCH, OFF if action == "webhooks-off" else ON)
        except Refused as refused:
            return Redirect("/", status_code=303, query_params={"failed": refused.said})
        return Redirect("/", status_code=303, query_params={"done": action})


def _act(book: Book, action: str, thing_id: str, data: dict[str, str]) -> None:
    acts: dict[str, Callable[[], object]] = {
        "advance": lambda: doing.advance(book, thing_id, whole(data.get("seconds", ""), "seconds")),
        "refund": lambda: refunds.create_refund(book, Ask({"payment_intent": thing_id})),
        "dispute": lambda: doing.dispute_payment(book, thing_id),
        "won": lambda: _decide(book, thing_id, "won"),
        "lost": lambda: _decide(book, thing_id, "lost"),
        "resend": lambda: doing.resend(book, thing_id),
    }
    if act := acts.get(action):
        act()


def _decide(book: Book, dispute_id: str, outcome: Literal["won", "lost"]) -> Thing:
    return doing.decide_dispute(book, dispute_id, outcome)


def _with_card(book: Book, customer: Thing) -> Thing:
    card = card_of(book, customer)
    shown = f"{card['card']['brand']} {card['card']['last4']}" if card else "—"
    return {**customer, "now": book.time(customer["id"]), "card": shown}
