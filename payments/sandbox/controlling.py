"""`/_sandbox`: what tests ask of the sandbox itself, in JSON."""

from typing import Any, Literal

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from payments.sandbox import doing
from payments.sandbox.book import Thing, shown
from payments.sandbox.cards import CardWrong
from payments.sandbox.deliveries import OFF, ON, SWITCH
from payments.sandbox.desk import Desk
from payments.sandbox.errors import Refused, declined
from payments.sandbox.faults import Fault, Faults

AtDesk = NamedDependency[Desk]


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    """Webhooks that are off are kept, and sent when they are on again."""

    on: bool


class Wait(msgspec.Struct, forbid_unknown_fields=True):
    seconds: int = 0
    days: int = 0


class Payment(msgspec.Struct, forbid_unknown_fields=True):
    payment_intent: str


class Outcome(msgspec.Struct, forbid_unknown_fields=True):
    outcome: Literal["won", "lost"]


class Paying(msgspec.Struct, forbid_unknown_fields=True):
    number: str = "4242424242424242"


class TopUp(msgspec.Struct, forbid_unknown_fields=True):
    amount: int
    currency: str = "eur"


class Control(Controller):
    """Everything is done when it is answered, but for the sending of webhooks."""

    path = "/_sandbox"

    @get("/faults")
    async def faults(self, faults: NamedDependency[Faults]) -> list[Fault]:
        return faults.asked

    @post("/faults")
    async def add_fault(self, data: JSONBody[Fault], faults: NamedDependency[Faults]) -> list[Fault]:
        faults.add(data)
        return faults.asked

    @delete("/faults")
    async def clear_faults(self, faults: NamedDependency[Faults]) -> None:
        faults.clear()

    @put("/webhooks")
    async def switch(self, data: JSONBody[Switch], desk: AtDesk) -> Switch:
        with desk.open():
            desk.store.set(SWITCH, ON if data.on else OFF)
        return data

    @post("/events/{event_id:str}/resend", status_code=204)
    async def resend(self, event_id: FromPath[str], desk: AtDesk) -> None:
        with desk.open() as book:
            doing.resend(book, event_id)

    @post("/checkout/{session_id:str}/pay")
    async def pay(self, session_id: FromPath[str], data: JSONBody[Paying], desk: AtDesk) -> dict[str, Any]:
        """Without a browser. 402 when the card is declined."""
        with desk.open() as book:
            try:
                why = doing.pay(book, session_id, data.number)
            except CardWrong as wrong:
                raise Refused(str(wrong), param=wrong.field) from wrong
            answer: Thing = shown(book.get("checkout.session", session_id))
        if why is not None:  # the failed charge stays
            raise declined(why.code, why.decline_code, why.message)
        return answer

    @post("/customers/{customer_id:str}/advance")
    async def advance(self, customer_id: FromPath[str], data: JSONBody[Wait], desk: AtDesk) -> dict[str, Any]:
        with desk.open() as book:
            return dict(shown(doing.advance(book, customer_id, data.seconds + data.days * 24 * 3600)))

    @post("/disputes")
    async def dispute(self, data: JSONBody[Payment], desk: AtDesk) -> dict[str, Any]:
        with desk.open() as book:
            return dict(shown(doing.dispute_payment(book, data.payment_intent)))

    @post("/disputes/{dispute_id:str}")
    async def decide(self, dispute_id: FromPath[str], data: JSONBody[Outcome], desk: AtDesk) -> dict[str, Any]:
        with desk.open() as book:
            return dict(shown(doing.decide_dispute(book, dispute_id, data.outcome)))

    @post("/refunds/{refund_id:str}/fail")
    async def fail_refund(self, refund_id: FromPath[str], desk: AtDesk) -> dict[str, Any]:
        with desk.open() as book:
            return dict(shown(doing.fail_refund(book, refund_id)))

    @post("/accounts/{account_id:str}/restrict")
    async def restrict(self, account_id: FromPath[str], desk: AtDesk) -> dict[str, Any]:
        with desk.open() as book:
            return dict(shown(doing.restrict(book, account_id)))

    @post("/balance")
    async def top_up(self, data: JSONBody[TopUp], desk: AtDesk) -> dict[str, Any]:
        with desk.open() as book:
            return dict(shown(doing.top_up(book, data.amount, data.currency)))
