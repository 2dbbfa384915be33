"""Pages of a customer: the portal with cards, bills and subscriptions, and a single bill."""

from html import escape as esc

from payments.sandbox.book import Thing
from payments.sandbox.pages.layout import (
    amount,
    button,
    card_fields,
    date,
    day,
    form,
    link,
    page,
    table,
    test_cards,
    told,
)

STATES = {"active": "runs", "trialing": "is a trial", "past_due": "is not paid", "canceled": "is over"}


def portal_page(
    path: str, visit: Thing, customer: Thing, card: Thing | None, subs: list[Thing], bills: list[Thing],
    *, wrong: dict[str, str] | None = None, done: str = "",
) -> str:  # fmt: skip
    """`path` is the address of this visit, `done` says what was just changed."""
    said = f'<p class="done" role="status">{esc(done)}</p>' if done else ""
    kept = f"{esc(card['card']['brand'].title())} ending in {card['card']['last4']}" if card else "No card is kept."
    fields = card_fields({}, wrong or {}) + button("Keep this card", name="action", value="card")
    running = "".join(_subscription(path, one) for one in subs) or '<p class="quiet">Nothing is subscribed to.</p>'
    body = (
        f"<h1>Your account</h1><p class='quiet'>{told(customer, 'email')}</p>{said}"
        f'<div class="two"><div><section class="card" aria-labelledby="subs"><h2 id="subs">Subscriptions</h2>{running}'
        f'</section><section class="card">{_bills(bills)}</section>{_back(visit)}</div>'
        f'<section class="card" aria-labelledby="pays"><h2 id="pays">Card</h2><p>{kept}</p>'
        f"{form(path, fields, label='Another card')}{test_cards()}</section></div>"
    )
    return page("Your account", body)


def invoice_page(invoice: Thing) -> str:
    """A bill, to be read and printed."""
    currency = invoice["currency"]
    lines = [
        [esc(one["description"]), _period(one), amount(one["amount"], currency)] for one in invoice["lines"]["data"]
    ]
    sums = [
        ("Subtotal", invoice["subtotal"]),
        ("Tax", invoice["total"] - invoice["subtotal"]),
        ("Total", invoice["total"]),
    ]
    if credit := invoice["total"] - invoice["amount_due"]:
        sums.append(("Paid with credit" if credit > 0 else "Added to credit", -credit))
    sums.append(("Paid" if invoice["status"] == "paid" else "Due", invoice["amount_due"]))
    shown = "".join(f"<li><span>{name}</span><span>{amount(value, currency)}</span></li>" for name, value in sums)
    body = (
        f'<section class="card"><h1>Invoice {esc(invoice["number"] or "")}</h1>'
        f"<dl><dt>From</dt><dd>Footlight (sandbox)</dd><dt>To</dt><dd>{told(invoice, 'customer_email')}</dd>"
        f"<dt>Date</dt><dd>{day(invoice['created'])}</dd><dt>State</dt><dd>{told(invoice, 'status')}</dd></dl>"
        f'{table(["What", "When", "Amount"], lines, "Lines")}<ul class="lines">{shown}</ul></section>'
    )
    return page(f"Invoice {invoice['number']}", body)


def _subscription(path: str, sub: Thing) -> str:
    item = sub["items"]["data"][0]
    price = f"{amount(item['price']['unit_amount'], sub['currency'])} a {item['price']['recurring']['interval']}"
    ends = sub["cancel_at_period_end"]
    until = f"{'ends' if ends else 'is renewed'} on {day(item['current_period_end'])}"
    state = STATES.get(sub["status"], sub["status"])
    action = button("Resume" if ends else "Cancel at the end of the period", name="action",
                    value=f"{'resume' if ends else 'cancel'}:{sub['id']}", kind="plain")  # fmt: skip
    pay = button("Pay now", name="action", value=f"pay:{sub['id']}") if sub["status"] == "past_due" else ""
    buttons = form(path, f'<div class="row">{pay}{action}</div>', label=f"Subscription at {price}")
    return f"<p><strong>{price}</strong><small>It {state}, and {until}.</small></p>{buttons}"


def _bills(bills: list[Thing]) -> str:
    rows = [
        [link(bill["hosted_invoice_url"] or "/", bill["number"] or bill["id"], ""), date(bill["created"]),
         amount(bill["total"], bill["currency"]), esc(bill["status"])]
        for bill in bills
    ]  # fmt: skip
    return table(["Number", "Date", "Total", "State"], rows, "Invoices")


def _period(line: Thing) -> str:
    return f"{day(line['period']['start'])} – {day(line['period']['end'])}"


def _back(visit: Thing) -> str:
    return link(visit["return_url"], "← Back to Footlight") if visit["return_url"] else ""


def onboarding_page(path: str, account: Thing) -> str:
    """One form for a creator; nothing that is typed in anywhere at Stripe is asked for here."""
    inside = (
        '<p>At Stripe you would say who you are and where your money goes. Here one click does.</p><div class="row">'
        + button("Agree and finish", name="outcome", value="done")
        + button("Later", name="outcome", value="later", kind="plain")
        + "</div>"
    )
    body = (
        '<section class="card single"><h1>Get paid by Footlight</h1>'
        f"<dl><dt>E-mail</dt><dd>{told(account, 'email')}</dd>"
        f"<dt>Country</dt><dd>{told(account, 'country')}</dd></dl>{form(path, inside, label='Account')}</section>"
    )
    return page("Get paid", body)
