"""Stripe's test cards, and what becomes of a payment with each. No other card is taken, so nobody types
in a real one.

Of a card only brand, last digits and expiry are kept, and how it behaves.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Behaviour = Literal["pays", "declined", "insufficient_funds", "asks", "fails_later", "disputed"]


@dataclass(frozen=True, slots=True)
class TestCard:
    number: str
    behaviour: Behaviour
    what: str
    brand: str = "visa"


CARDS = (
    TestCard("4242424242424242", "pays", "pays"),
    TestCard("5555555555554444", "pays", "pays (Mastercard)", "mastercard"),
    TestCard("4000000000000002", "declined", "is declined"),
    TestCard("4000000000009995", "insufficient_funds", "has not enough money"),
    TestCard("4000002500003155", "asks", "asks for 3-D Secure"),
    TestCard("4000000000000341", "fails_later", "pays once and fails at renewal"),
    TestCard("4000000000000259", "disputed", "pays, and the payment is disputed"),
)
BY_NUMBER = {card.number: card for card in CARDS}
SHORTEST_CVC, LONGEST_CVC = 3, 4


@dataclass(frozen=True, slots=True)
class Card:
    """What is kept of a card."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a payment failed, in Stripe's words."""

    code: str
    decline_code: str
    message: str


DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure", "authentication_required", "We could not confirm that it was you."
)


class CardWrong(ValueError):
    """What was typed in is no card of ours. `field` says where."""

    def __init__(self, field: str, said: str) -> None:
        super().__init__(said)
        self.field = field


def read_card(number: str, expiry: str, cvc: str, now: datetime) -> Card:
    """What was typed in. Raises `CardWrong`."""
    digits = "".join(number.split()).replace("-", "")
    known = BY_NUMBER.get(digits)
    if known is None:
        raise CardWrong("number", "This is no test card. Take one of the numbers below; never type in a real card.")
    month, year = _expiry(expiry)
    if (year, month) < (now.year, now.month):
        raise CardWrong("expiry", "This card has expired.")
    if not cvc.isdecimal() or not SHORTEST_CVC <= len(cvc) <= LONGEST_CVC:
        raise CardWrong("cvc", "The security code has three digits.")
    return Card(known.brand, digits[-4:], month, year, known.behaviour)


def _expiry(text: str) -> tuple[int, int]:
    month, _, year = text.replace(" ", "").partition("/")
    if not (month.isdecimal() and year.isdecimal() and 1 <= int(month) <= 12 and len(year) in {2, 4}):
        raise CardWrong("expiry", "Write the expiry as month and year: 12 / 34.")
    return int(month), int(year) % 100 + 2000


def decline_of(behaviour: Behaviour, *, off_session: bool) -> Decline | None:
    """Why a payment with such a card fails; None when it does not. `off_session`: nobody is there to ask."""
    if behaviour == "declined" or (behaviour == "fails_later" and off_session):
        return DECLINED
    return NO_FUNDS if behaviour == "insufficient_funds" else None


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
