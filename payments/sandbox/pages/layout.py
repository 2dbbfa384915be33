"""What all pages of the sandbox look like. Everything shown is escaped here or by who calls `esc`."""

from html import escape as esc
from pathlib import Path
from typing import Any

from payments.sandbox.cards import CARDS, moment

STYLE = (Path(__file__).parent / "style.css").read_text()
BANNER = "This is not Stripe. No money moves."
SIGNS = {"eur": "€", "usd": "$", "gbp": "£"}


def page(title: str, body: str, *, wide: bool = False) -> str:
    """A whole document."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{esc(title)} · Footlight sandbox</title><link rel="stylesheet" href="/style.css"></head><body>'
        f'<p class="banner" role="note"><strong>Sandbox.</strong> {BANNER}</p>'
        f'<main class="{"wide" if wide else "narrow"}">{body}</main></body></html>'
    )


def amount(minor: int, currency: str) -> str:
    """`€4.99`. Every currency the sandbox knows has two places."""
    sign = SIGNS.get(currency, "")
    text = f"{sign}{abs(minor) / 100:,.2f}" + ("" if sign else f" {currency.upper()}")
    return f"−{text}" if minor < 0 else text


def day(seconds: int | None) -> str:
    return f"{moment(seconds):%-d %B %Y}" if seconds else "—"


def date(seconds: int) -> str:
    return f"{moment(seconds):%Y-%m-%d}"


def minute(seconds: int | None) -> str:
    return f"{moment(seconds):%Y-%m-%d %H:%M} UTC" if seconds else "—"


def button(label: str, *, name: str = "", value: str = "", kind: str = "primary") -> str:
    named = f' name="{esc(name)}" value="{esc(value)}"' if name else ""
    return f'<button type="submit" class="{kind}"{named}>{esc(label)}</button>'


def form(action: str, inside: str, *, label: str = "") -> str:
    named = f' aria-label="{esc(label)}"' if label else ""
    return f'<form method="post" action="{esc(action)}"{named}>{inside}</form>'


def field(name: str, label: str, value: str = "", *, error: str = "", **attributes: str) -> str:
    """A labelled input; `error` is told to who cannot see it too."""
    more = "".join(f' {key.rstrip("_").replace("_", "-")}="{esc(one)}"' for key, one in attributes.items())
    wrong = f' aria-invalid="true" aria-describedby="{name}-error"' if error else ""
    told = f'<p class="error" id="{name}-error">{esc(error)}</p>' if error else ""
    return (
        f'<div class="field"><label for="{name}">{esc(label)}</label>'
        f'<input id="{name}" name="{name}" value="{esc(value)}"{more}{wrong}>{told}</div>'
    )


def alert(text: str) -> str:
    return f'<p class="alert" role="alert">{esc(text)}</p>' if text else ""


def link(url: str, text: str, kind: str = "back") -> str:
    return f'<a class="{kind}" href="{esc(safe(url))}">{esc(text)}</a>'


def safe(url: str) -> str:
    """No address that would run a script."""
    return url if url.startswith(("http://", "https://", "/")) else "/"


def table(heads: list[str], rows: list[list[str]], caption: str) -> str:
    """`rows` are HTML already."""
    head = "".join(f'<th scope="col">{esc(one)}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    empty = "" if rows else f'<p class="quiet">No {esc(caption.lower())} yet.</p>'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(caption)}">'
        f"<table><caption>{esc(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{empty}"
    )


def told(thing: dict[str, Any], name: str) -> str:
    return esc(str(thing.get(name) or "—"))


def card_fields(typed: dict[str, str], wrong: dict[str, str]) -> str:
    """Number, expiry and code of a card. `wrong` is told at its field, or above all of them under `card`."""
    digits = {"inputmode": "numeric", "autocomplete": "off", "required": "required"}
    number = {**digits, "placeholder": "4242 4242 4242 4242"}
    return (
        alert(wrong.get("card", ""))
        + field("number", "Card number", typed.get("number", ""), error=wrong.get("number", ""), **number)
        + '<div class="pair">'
        + field(
            "expiry", "Expiry", typed.get("expiry", ""), error=wrong.get("expiry", ""), **digits, placeholder="12 / 34"
        )
        + field("cvc", "Security code", error=wrong.get("cvc", ""), **digits, placeholder="123")
        + "</div>"
    )


def test_cards() -> str:
    rows = "".join(f"<dt><code>{_spaced(card.number)}</code></dt><dd>{esc(card.what)}</dd>" for card in CARDS)
    return (
        f"<details open><summary>Test cards (any expiry to come, any three digits)</summary><dl>{rows}</dl></details>"
    )


def unknown_page() -> str:
    said = "<p>The address is wrong, or it was good for one visit only.</p>"
    return page("Not found", f'<section class="card single"><h1>There is nothing here.</h1>{said}</section>')


def _spaced(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
