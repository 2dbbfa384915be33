"""Amounts: whole minor units of one currency. No floats, no mixing of currencies, and every rounding is a floor."""

import msgspec

# Currencies whose smallest unit is not a hundredth, of those Stripe charges in (docs.stripe.com/currencies).
WHOLE = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THOUSANDTHS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


class CurrenciesMixed(ValueError):
    """Two amounts of different currencies were put together: our mistake, never a person's."""


class Money(msgspec.Struct, frozen=True):
    """`currency` is ISO 4217 in lower case; `amount_minor` may be negative."""

    amount_minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount_minor <= self._same(other)

    def share(self, percent: int) -> "Money":
        """So many hundredths of it, floored: whoever gets a share never gets more than it."""
        return Money(part(self.amount_minor, percent, 100), self.currency)

    def as_text(self) -> str:
        """`12.34 EUR`: for statements and logs."""
        return f"{major_units(self.amount_minor, self.currency)} {self.currency.upper()}"

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrenciesMixed(f"{self.currency} and {other.currency}")
        return other.amount_minor


def part(amount_minor: int, of: int, whole: int) -> int:
    """`amount_minor * of / whole`, floored."""
    return amount_minor * of // whole


def decimal_places(currency: str) -> int:
    """How many digits a person writes behind the point."""
    return 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2


def major_units(amount_minor: int, currency: str) -> str:
    """`-12.34`: what a person reads, exactly."""
    sign, places = "-" if amount_minor < 0 else "", decimal_places(currency)
    digits = str(abs(amount_minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"
