"""The hosted pages beside Checkout: the portal, bills, onboarding of creators."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from payments.sandbox import billing, connect, people, portal, subscriptions
from payments.sandbox.asking import Ask
from payments.sandbox.book import Book, Thing
from payments.sandbox.cards import CardWrong, moment, read_card
from payments.sandbox.desk import Desk
from payments.sandbox.errors import no_such
from payments.sandbox.pages import account as pages
from payments.sandbox.pages.layout import safe
from payments.sandbox.paying_pages import OK, UNPROCESSABLE, Form, html

AtDesk = NamedDependency[Desk]
DONE = {
    "card": "Your card was kept.",
    "cancel": "It ends with its period.",
    "resume": "It goes on.",
    "pay": "It is paid.",
    "unpaid": "The card was declined. Keep another one.",
}


class Portal(Controller):
    path = "/portal"

    @get("/{visit_id:str}")
    async def show(self, visit_id: FromPath[str], desk: AtDesk, done: FromQuery[str] = "") -> Response[str]:
        with desk.open() as book:
            return html(_portal(book, visit_id, done=DONE.get(done, "")))

    @post("/{visit_id:str}")
    async def change(self, visit_id: FromPath[str], data: Form, desk: AtDesk) -> Any:
        with desk.open() as book:
            visit = portal.visit_of(book, visit_id)
            action, _, sub_id = data.get("action", "card").partition(":")
            try:
                done = _keep_card(book, visit, data) if action == "card" else _change(book, visit, action, sub_id)
            except CardWrong as wrong:
                return html(_portal(book, visit_id, wrong={wrong.field: str(wrong)}), UNPROCESSABLE)
        return Redirect(f"/portal/{visit_id}?done={done}", status_code=303)


class Bills(Controller):
    path = "/invoices"

    @get("/{invoice_id:str}")
    async def show(self, invoice_id: FromPath[str], desk: AtDesk, s: FromQuery[str] = "") -> Response[str]:
        """`s` is a secret of each bill's address: who has the link may read it."""
        with desk.open() as book:
            invoice = book.get("invoice", invoice_id)
        if not s or s not in parse_qs(urlsplit(invoice["hosted_invoice_url"] or "").query).get("s", []):
            raise no_such("invoice", invoice_id)
        return html(pages.invoice_page(invoice))


class Onboarding(Controller):
    path = "/onboarding"

    @get("/{link_id:str}")
    async def show(self, link_id: FromPath[str], desk: AtDesk) -> Any:
        with desk.open() as book:
            link = book.get("account_link", link_id)
            if _is_spent(book, link):
                return Redirect(safe(book.note(link, "refresh_url")), status_code=303)
            book.hide(link, opened=True)
            account = book.get("account", book.note(link, "account"))
            return html(pages.onboarding_page(f"/onboarding/{link_id}", account), OK)

    @post("/{link_id:str}")
    async def finish(self, link_id: FromPath[str], data: Form, desk: AtDesk) -> Redirect:
        with desk.open() as book:
            link = book.get("account_link", link_id)
            if book.note(link, "used") or not book.note(link, "opened"):
                return Redirect(safe(book.note(link, "refresh_url")), status_code=303)
            book.hide(link, used=True)
            if data.get("outcome") == "done":
                connect.onboard(book, book.get("account", book.note(link, "account")))
            return Redirect(safe(book.note(link, "return_url")), status_code=303)


def _is_spent(book: Book, link: Thing) -> bool:
    return bool(book.note(link, "opened")) or link["expires_at"] < book.now


def _portal(book: Book, visit_id: str, *, wrong: dict[str, str] | None = None, done: str = "") -> str:
    visit = portal.visit_of(book, visit_id)
    customer = people.living(book, visit["customer"])
    subs = [one for one in book.find("subscription", customer=customer["id"]) if one["status"] != "canceled"]
    bills, card = book.find("invoice", customer=customer["id"]), people.card_of(book, customer)
    return pages.portal_page(f"/portal/{visit_id}", visit, customer, card, subs, bills, wrong=wrong, done=done)


def _keep_card(book: Book, visit: Thing, data: dict[str, str]) -> str:
    """Kept, and tried at once with what is not paid."""
    card = read_card(data.get("number", ""), data.get("expiry", ""), data.get("cvc", ""), moment(book.now))
    people.keep_card(book, people.living(book, visit["customer"]), card)
    for sub in book.find("subscription", customer=visit["customer"], status="past_due"):
        billing.pay_now(book, sub)
    return "card"


def _change(book: Book, visit: Thing, action: str, sub_id: str) -> str:
    sub = book.get("subscription", sub_id)
    if sub["customer"] != visit["customer"] or action not in {"cancel", "resume", "pay"}:
        raise no_such("subscription", sub_id)
    if action == "pay":
        return "pay" if billing.pay_now(book, sub) else "unpaid"
    wanted = {"cancel_at_period_end": "true" if action == "cancel" else "false"}
    subscriptions.update_subscription(book, Ask(wanted, (sub_id,)))
    return action
