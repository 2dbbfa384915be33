"""The payment page: what is bought, a form for a card, a bank that asks, and how it ended."""

from html import escape as esc

from payments.sandbox.book import Thing
from payments.sandbox.pages.layout import amount, button, card_fields, form, link, minute, page, test_cards

EVERY = {"day": "day", "week": "week", "month": "month", "year": "year"}


def payment_page(
    session: Thing, customer: Thing, lines: list[Thing], typed: dict[str, str], wrong: dict[str, str]
) -> str:
    """`wrong` says what is to be put right, by field; `card` is about all of them."""
    due = amount(session["amount_total"], session["currency"])
    pay = f"Subscribe for {due}" if session["mode"] == "subscription" else f"Pay {due}"
    pay = pay if session["amount_total"] else "Start trial"
    inputs = (
        f"<dl><dt>E-mail</dt><dd>{esc(customer['email'] or '—')}</dd></dl>"
        + card_fields(typed, wrong)
        + button(pay, kind="full")
    )
    body = (
        f'<div class="two"><div>{_summary(session, lines)}{_leave(session)}</div>'
        f'<section class="card" aria-labelledby="pay"><h2 id="pay">Pay with a test card</h2>'
        f"{form('/checkout/' + session['id'], inputs, label='Card')}{test_cards()}</section></div>"
    )
    return page("Payment", body)


def bank_page(session: Thing) -> str:
    """3-D Secure: the bank wants to know who pays."""
    choices = (("Complete", "complete", "primary"), ("Fail", "fail", "plain"))
    buttons = "".join(button(label, name="outcome", value=value, kind=kind) for label, value, kind in choices)
    both = f'<div class="row">{buttons}</div>'
    body = (
        '<section class="card single"><h1>Your bank asks: is it you?</h1>'
        f"<p>A payment of <strong>{amount(session['amount_total'], session['currency'])}</strong> to Footlight "
        "(sandbox). A real bank would send a code to your phone.</p>"
        f"{form('/checkout/' + session['id'] + '/bank', both, label='Your bank')}</section>"
    )
    return page("Your bank asks", body)


def paid_page(session: Thing) -> str:
    """For who comes back to a page that is paid."""
    body = (
        '<section class="card single"><p class="done" role="status">This is paid. Nothing more will be charged.</p>'
        f"<h1>{amount(session['amount_total'], session['currency'])}</h1>"
        f"{link(session['success_url'] or '/', 'Back to Footlight', 'button')}</section>"
    )
    return page("Paid", body)


def expired_page(session: Thing) -> str:
    body = (
        '<section class="card single"><h1>This payment page has closed.</h1><p>Nothing was charged. '
        f"Go back to Footlight and begin again.</p>{link(session['cancel_url'] or '/', 'Back to Footlight', 'button')}"
        "</section>"
    )
    return page("Closed", body)


def _summary(session: Thing, lines: list[Thing]) -> str:
    rows = "".join(_row(line) for line in lines)
    total, currency = session["amount_total"], session["currency"]
    if tax := session["total_details"]["amount_tax"]:
        rows += f"<li><span>Tax</span><span>{amount(tax, currency)}</span></li>"
    rows += f"<li><span>Due today</span><span>{amount(total, currency)}</span></li>"
    return (
        f"<h1>{'Subscribe to' if session['mode'] == 'subscription' else 'Pay'} Footlight</h1>"
        f'<p class="total">{amount(total, currency)}</p><ul class="lines">{rows}</ul>'
        f'<p class="quiet">This page is open until {minute(session["expires_at"])}.</p>'
    )


def _row(line: Thing) -> str:
    recurring = line["price"]["recurring"]
    often = f"every {EVERY[recurring['interval']]}" if recurring else ""
    note = f"{line['quantity']} × {amount(line['price']['unit_amount'], line['currency'])}"
    what = f"{esc(line['description'])}<small>{esc(often or note)}</small>"
    return f"<li><span>{what}</span><span>{amount(line['amount_total'], line['currency'])}</span></li>"


def _leave(session: Thing) -> str:
    return link(session["cancel_url"], "← Back to Footlight") if session["cancel_url"] else ""
