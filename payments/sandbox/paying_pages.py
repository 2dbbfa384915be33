"""The hosted payment page, as a browser asks for it. Every form that was sent is answered with another address, so that
a reload or the back button sends nothing twice."""

from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from payments.sandbox import checkouts
from payments.sandbox.book import Book, Thing
from payments.sandbox.cards import CardWrong, Decline, moment, read_card
from payments.sandbox.desk import Desk
from payments.sandbox.pages import checkout as pages
from payments.sandbox.pages.layout import safe

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Shown = Response[str] | Redirect

OK, UNPROCESSABLE = 200, 422


def html(text: str, status: int = OK) -> Response[str]:
    return Response(text, status_code=status, media_type="text/html", headers={"Cache-Control": "no-store"})


class Checkout(Controller):
    path = "/checkout"

    @get("/{session_id:str}")
    async def show(self, session_id: FromPath[str], desk: NamedDependency[Desk]) -> Response[str]:
        with desk.open() as book:
            return _page(book, book.get("checkout.session", session_id))

    @post("/{session_id:str}")
    async def pay(self, session_id: FromPath[str], data: Form, desk: NamedDependency[Desk]) -> Any:
        """Paid, to be confirmed with the bank, or the form again with what is wrong."""
        with desk.open() as book:
            session = book.get("checkout.session", session_id)
            try:
                card = read_card(data.get("number", ""), data.get("expiry", ""), data.get("cvc", ""), moment(book.now))
            except CardWrong as wrong:
                return _form(book, session, data, {wrong.field: str(wrong)})
            why = checkouts.submit(book, session, card)
            if why is not None:
                return _try_again(book, session, why)
            waits = checkouts.waiting_card(book, session) is not None
            return Redirect(f"/checkout/{session_id}/bank", status_code=303) if waits else _leave(session)

    @get("/{session_id:str}/bank")
    async def ask(self, session_id: FromPath[str], desk: NamedDependency[Desk]) -> Any:
        with desk.open() as book:
            session = book.get("checkout.session", session_id)
            if session["status"] != "open" or checkouts.waiting_card(book, session) is None:
                return Redirect(f"/checkout/{session_id}", status_code=303)
            return html(pages.bank_page(session))

    @post("/{session_id:str}/bank")
    async def answer(self, session_id: FromPath[str], data: Form, desk: NamedDependency[Desk]) -> Any:
        with desk.open() as book:
            session = book.get("checkout.session", session_id)
            card = checkouts.waiting_card(book, session)
            if session["status"] != "open" or card is None:
                return _leave(session)
            if data.get("outcome") != "complete":
                return _try_again(book, session, checkouts.refuse(book, session))
            checkouts.submit(book, session, card, confirmed=True)
            return _leave(session)


def _page(book: Book, session: Thing) -> Response[str]:
    if session["status"] == "complete":
        return html(pages.paid_page(session))
    if session["status"] == "expired":
        return html(pages.expired_page(session))
    failed = book.note(session, "failed")
    return _form(book, session, {}, {"card": failed} if failed else {}, OK)


def _try_again(book: Book, session: Thing, why: Decline) -> Redirect:
    """The form again, at an address of its own: the back button is to ask nobody to send a card twice."""
    book.hide(session, failed=f"{why.message} Nothing was charged. Try another card.")
    return Redirect(f"/checkout/{session['id']}", status_code=303)


def _form(
    book: Book, session: Thing, typed: dict[str, str], wrong: dict[str, str], status: int = UNPROCESSABLE
) -> Response[str]:
    if session["status"] != "open":
        return _page(book, session)
    customer = book.get("customer", session["customer"])
    text = pages.payment_page(session, customer, book.note(session, "lines"), typed, wrong)
    return html(text, status)


def _leave(session: Thing) -> Redirect:
    """Back to the shop: paid, or to the page that says why not."""
    if session["status"] != "complete":
        return Redirect(f"/checkout/{session['id']}", status_code=303)
    url = (session["success_url"] or "/").replace("{CHECKOUT_SESSION_ID}", session["id"])
    return Redirect(safe(url), status_code=303)
