"""Payments, refunds, disputes and payouts as entries: whole, never too much, the same in any order they are learnt."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.errors import BooksDisagree
from payments.ledger.entries import Entry, Line, Sale, Unbalanced, owed_to, reserve_of, transit_of
from payments.ledger.postings import PENDING, Dispute, Facts, Fee, entries_of, payout_entries
from payments.model import Payout
from tests.payments.ledger.facts import BEGAN, CREATOR, as_of, lives, moments, paid, refund

HOUR = timedelta(hours=1)


def learn(*tellings: Facts) -> list[Entry]:
    """The books after Stripe told this, one after the other."""
    books: list[Entry] = []
    for facts in tellings:
        books += entries_of(facts, books)
    return books


def sums(entries: Iterable[Entry]) -> Counter[str]:
    total: Counter[str] = Counter()
    for entry in entries:
        for line in entry.lines:
            total[line.account] += line.amount_minor
    return total


def amounts(entry: Entry) -> dict[str, int]:
    return {line.account.split(":")[0]: line.amount_minor for line in entry.lines}


# --- the tables of the design, with numbers


def test_a_payment_is_shared_without_tax_and_floored() -> None:
    entry, fee = learn(
        Facts(paid=paid(999, 159), fees=(Fee(transaction_id="txn_1", amount_minor=39, currency="eur", at=BEGAN),))
    )
    assert (entry.cause, entry.kind, entry.about) == ("invoice:in_1:paid", "payment", "invoice:in_1")
    assert amounts(entry) == {"stripe": 999, "tax": -159, "creator": -588, "platform": -252}
    assert [line.available_at for line in entry.lines if line.available_at] == [BEGAN + PENDING]
    assert (fee.cause, fee.about, amounts(fee)) == ("fee:txn_1", "invoice:in_1", {"fees": 39, "stripe": -39})


def test_premium_is_the_platforms_alone() -> None:
    (entry,) = learn(Facts(paid=paid(499, share_percent=0, sale=Sale(source="premium"))))
    assert amounts(entry) == {"stripe": 499, "platform": -499}


def test_a_trial_costs_nothing_and_is_not_booked() -> None:
    assert learn(Facts(paid=paid(0))) == []


def test_three_refunds_give_back_exactly_the_whole() -> None:
    facts = Facts(paid=paid(499, 80), refunds=tuple(refund(n, part) for n, part in enumerate((167, 166, 166), 1)))
    books = learn(facts)
    assert [amounts(entry) for entry in books[1:]] == [
        {"stripe": -167, "tax": 26, "creator": 98, "platform": 43},
        {"stripe": -166, "tax": 27, "creator": 97, "platform": 42},
        {"stripe": -166, "tax": 27, "creator": 98, "platform": 41},
    ]
    assert set(sums(books).values()) == {0}


def test_a_refund_takes_from_what_is_pending_what_came_in_pending() -> None:
    books = learn(Facts(paid=paid(), refunds=(refund(1, 499),)))
    times = [line.available_at for entry in books for line in entry.lines if line.account == owed_to(CREATOR)]
    assert times == [BEGAN + PENDING] * 2


def test_a_refund_that_failed_is_undone_and_leaves_room_for_another() -> None:
    books = learn(Facts(paid=paid(), refunds=(refund(1, 499, failed_after=5), refund(2, 499, after=9))))
    assert [entry.cause for entry in books] == ["invoice:in_1:paid", "refund:re_1", "refund:re_1:failed", "refund:re_2"]
    assert books[1].lines == books[3].lines
    assert set(sums(books).values()) == {0}


def dispute(amount_minor: int, outcome: str | None = None) -> Dispute:
    return msgspec.convert(
        {"id": "dp_1", "amount_minor": amount_minor, "opened_at": BEGAN + HOUR, "outcome": outcome}, type=Dispute
    )


def test_a_dispute_holds_the_share_and_a_won_one_gives_it_back() -> None:
    payment, opened = learn(Facts(paid=paid(), disputes=(dispute(499),)))
    assert amounts(opened) == {"disputed": 499, "stripe": -499, "creator": 349, "reserve": -349}
    books = learn(Facts(paid=paid(), disputes=(dispute(499, "won"),)))
    assert sums(books) == sums([payment])


def test_a_lost_dispute_takes_tax_share_and_our_part() -> None:
    books = learn(Facts(paid=paid(499, 80), disputes=(dispute(499, "lost"),)))
    assert books[2].cause == "dispute:dp_1:lost"
    assert amounts(books[2]) == {"reserve": 293, "tax": 80, "platform": 126, "disputed": -499}
    assert set(sums(books).values()) == {0}


def test_what_is_given_back_twice_is_the_platforms_loss() -> None:
    facts = Facts(paid=paid(499), refunds=(refund(2, 499),), disputes=(dispute(499, "lost"),))
    total = sums(learn(facts))
    assert total == {"stripe": -499, owed_to(CREATOR): 0, reserve_of(CREATOR): 0, "platform": 499, "disputed": 0}


def payout(**changes: object) -> Payout:
    asked = Payout(
        id="01890000-0000-7000-8000-00000000000a", creator_id=CREATOR, amount_minor=5000, currency="eur",
        state="asked", asked_by="creator", stripe_account_id="acct_1", asked_at=BEGAN,
    )  # fmt: skip
    return msgspec.structs.replace(asked, **changes)


def test_a_payout_goes_through_transit() -> None:
    owed, transit = owed_to(CREATOR), transit_of(CREATOR)
    assert sums(payout_entries(payout())) == {owed: 5000, transit: -5000}
    assert sums(payout_entries(payout(state="sent", sent_at=BEGAN))) == {owed: 5000, transit: 0, "stripe": -5000}
    assert set(sums(payout_entries(payout(state="failed", failed_at=BEGAN))).values()) == {0}
    returned = payout_entries(payout(state="returned", sent_at=BEGAN, returned_at=BEGAN))
    assert [entry.cause.rpartition(":")[2] for entry in returned] == ["asked", "sent", "returned"]
    assert set(sums(returned).values()) == {0}


# --- what is booked stands


def test_a_share_that_was_changed_since_changes_no_old_payment() -> None:
    before = learn(Facts(paid=paid()))
    now = Facts(paid=paid(share_percent=10), refunds=(refund(1, 499),))
    books = before + entries_of(now, before, pending=timedelta(days=30))
    assert set(sums(books).values()) == {0}
    assert len(books) == 2


@pytest.mark.parametrize(
    "facts",
    [
        Facts(paid=paid(500), refunds=(refund(1, 100),)),
        Facts(paid=paid(499, 1), refunds=(refund(1, 100),)),
        Facts(paid=paid(499), refunds=(refund(1, 101),)),
    ],
)
def test_another_amount_than_is_booked_is_refused(facts: Facts) -> None:
    books = learn(Facts(paid=paid(499), refunds=(refund(1, 100),)))
    with pytest.raises(BooksDisagree):
        entries_of(facts, books)


def test_an_entry_that_does_not_balance_cannot_be_made() -> None:
    whole = {"cause": "c", "kind": "payment", "about": "a", "currency": "eur", "at": BEGAN}
    for lines in ((), (Line("stripe", 0), Line("tax", 0)), (Line("stripe", 5), Line("tax", -4))):
        with pytest.raises(Unbalanced):
            Entry(**whole, lines=lines)  # type: ignore[arg-type]


# --- whatever happens


@settings(deadline=None)
@given(lives())
def test_every_life_of_a_payment_balances_and_gives_back_no_more_than_there_was(facts: Facts) -> None:
    books = learn(facts)
    assert sum(sums(books).values()) == 0
    whole = sums(books[:1])
    shares = {name for name in whole if name.startswith("creator:")} or {owed_to(CREATOR)}
    so_far: Counter[str] = Counter()
    for entry in books:
        assert sum(line.amount_minor for line in entry.lines) == 0
        for line in entry.lines:
            so_far[line.account] += line.amount_minor
        for account in ("tax", *shares):
            assert whole[account] <= so_far[account] <= 0, entry.cause
        assert so_far["stripe"] + so_far["disputed"] + so_far["fees"] >= 0


@settings(deadline=None)
@given(lives())
def test_a_payment_given_back_whole_leaves_only_fees(facts: Facts) -> None:
    left = facts.paid.amount_minor - sum(one.amount_minor for one in facts.refunds if one.failed_at is None)
    rest = (refund(99, left, after=9999),) if left else ()
    total = sums(learn(Facts(paid=facts.paid, fees=facts.fees, refunds=facts.refunds + rest)))
    fees = total.pop("fees", 0)
    assert total.pop("stripe", 0) == -fees
    assert set(total.values()) <= {0}


@settings(max_examples=300, deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_the_books_are_the_same_however_often_and_in_whatever_order_it_is_told(
    facts: Facts, chance: random.Random
) -> None:
    expected = learn(facts)
    tellings = [as_of(facts, moment) for moment in moments(facts)] * chance.randint(1, 3)
    chance.shuffle(tellings)
    books = learn(*tellings, facts, facts)
    assert {entry.cause: entry for entry in books} == {entry.cause: entry for entry in expected}
    assert len(books) == len(expected)


@settings(deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_refunds_learnt_one_by_one_in_any_order_come_to_the_same(facts: Facts, chance: random.Random) -> None:
    """Even if a list of Stripe's lacked some for a while: the lines may differ by one, the sums do not."""
    refunds = list(facts.refunds)
    left = facts.paid.amount_minor - sum(one.amount_minor for one in refunds if one.failed_at is None)
    refunds += [refund(99, left, after=9999)] if left else []
    chance.shuffle(refunds)
    tellings = [Facts(paid=facts.paid, refunds=(one,)) for one in refunds]
    assert set(sums(learn(*tellings)).values()) <= {0}
