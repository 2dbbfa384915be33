"""Amounts: exact, of one currency, floored."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.money import CurrenciesMixed, Money, decimal_places, major_units


def test_currencies_do_not_mix() -> None:
    euros, dollars = Money(100, "eur"), Money(100, "usd")
    for put_together in (lambda: euros + dollars, lambda: euros - dollars, lambda: euros < dollars):
        with pytest.raises(CurrenciesMixed):
            put_together()


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(0, 100))
def test_a_share_and_the_rest_are_the_whole(amount_minor: int, percent: int) -> None:
    whole = Money(amount_minor, "eur")
    share = whole.share(percent)
    rest = whole - share
    assert share + rest == whole
    assert 0 <= share.amount_minor * 100 <= amount_minor * percent < (share.amount_minor + 1) * 100


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.sampled_from(["eur", "jpy", "kwd"]))
def test_what_people_read_is_exact(amount_minor: int, currency: str) -> None:
    assert Decimal(major_units(amount_minor, currency)).scaleb(decimal_places(currency)) == amount_minor


def test_amounts_read_as_people_write_them() -> None:
    texts = [Money(5, "eur").as_text(), Money(-1234, "eur").as_text(), Money(500, "jpy").as_text()]
    assert texts == ["0.05 EUR", "-12.34 EUR", "500 JPY"]
