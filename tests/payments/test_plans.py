"""The plans that are sold, and that a wrong file stops the start."""

from pathlib import Path

import pytest

from payments.errors import AmountNotAllowed, PlanUnknown
from payments.money import Money
from payments.plans import SOURCE, PlansWrong, load_plans


def test_the_plans_are_those_of_the_design() -> None:
    plans = load_plans()
    prices = {plan.id: (plan.amount_minor, plan.currency, plan.share_percent) for plan in plans}
    assert prices == {
        "premium-monthly": (499, "eur", 0),
        "premium-yearly": (4990, "eur", 0),
        "channel-1": (499, "eur", 70),
        "channel-2": (999, "eur", 70),
        "channel-3": (2499, "eur", 70),
    }
    assert plans.price("channel-2") == Money(999, "eur")
    with pytest.raises(PlanUnknown):
        plans.get("gold")


def test_the_amount_decides_how_long_a_message_stays_on_top() -> None:
    rules = load_plans().paid_messages
    times = [rules.on_top_seconds(amount) for amount in (200, 499, 500, 1999, 2000, 10_000, 50_000)]
    assert times == [0, 0, 30, 60, 120, 600, 600]
    for amount in (0, 199, 50_001):
        with pytest.raises(AmountNotAllowed) as refused:
            rules.on_top_seconds(amount)
        assert refused.value.details == {"minimum": 200, "maximum": 50_000}


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ("amount_minor = 4990", "amount_minor = 0", "premium-yearly costs nothing"),
        ('id = "channel-2"', 'id = "channel-1"', "channel-1 is there twice"),
        ("share_percent = 70", "share_percent = 170", "no percentage"),
        ("on_top_seconds = 60", "on_top_seconds = 3", "must rise"),
        ("max_amount_minor = 50000", "max_amount_minor = 5000", "below their last step"),
        ('currency = "eur"', 'currency = "Euro"', "no currency"),
        ("level = 3", "level = 4", "not 1, 2 or 3"),
        ('interval = "year"', 'interval = "decade"', "Invalid enum value"),
        ("minimum_minor = 2000", "minimum = 2000", "minimum"),
        ("[gifts]", "[gifts", "at line 52"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, written: str, instead: str, complaint: str) -> None:
    text = SOURCE.read_text()
    assert written in text
    changed = tmp_path / "plans.toml"
    changed.write_text(text.replace(written, instead))
    with pytest.raises(PlansWrong, match=r"plans\.toml") as refused:
        load_plans(changed)
    assert complaint in str(refused.value)
