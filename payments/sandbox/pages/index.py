"""The sandbox's own page: what was bought lately, and what a developer can do about it."""

from html import escape as esc

from payments.sandbox.book import Thing
from payments.sandbox.pages.layout import amount, button, minute, page, table, told

WAITS = (("86400", "1 day"), ("604800", "1 week"), ("2678400", "31 days"), ("31622400", "1 year"))


TABLES = (
    ("customer", "Customers", ["Customer", "Time for them", "Card", ""]),
    ("subscription", "Subscriptions", ["Subscription", "State", "Period ends", "Price"]),
    ("payment_intent", "Payments", ["Payment", "State", "Amount", ""]),
    ("dispute", "Disputes", ["Dispute", "State", "Amount", ""]),
    ("checkout.session", "Payment pages", ["Checkout", "State", "Amount", ""]),
    ("event", "Events", ["Event", "About", "When", "Taken", ""]),
)


def index_page(found: dict[str, list[Thing]], done: str, *, webhooks: bool | None) -> str:
    """`found` are the latest objects by kind. `webhooks` are on, off, or (None) told to nobody."""
    said = f'<p class="done" role="status">{esc(done)}</p>' if done else ""
    rows = {
        "customer": _customer, "subscription": _sub, "payment_intent": _payment, "dispute": _dispute,
        "checkout.session": _session, "event": _event,
    }  # fmt: skip
    tables = "".join(
        _card(table(heads, [rows[kind](one) for one in found[kind]], caption)) for kind, caption, heads in TABLES
    )
    body = (
        "<h1>Footlight's sandbox for payments</h1><p class='quiet'>It stands in for Stripe while you develop and test. "
        f"Everything here was made up.</p>{said}{_switch(webhooks)}{tables}"
    )
    return page("Payments", body, wide=True)


def _card(inside: str) -> str:
    return f'<section class="card">{inside}</section>'


def _act(thing_id: str, *buttons: tuple[str, str], choice: str = "") -> str:
    """A row of things to do with one object."""
    inside = "".join(button(label, name="action", value=action, kind="small") for action, label in buttons)
    hidden = f'<input type="hidden" name="id" value="{esc(thing_id)}">'
    return f'<form method="post" action="/do" class="row">{hidden}{choice}{inside}</form>'


def _switch(webhooks: bool | None) -> str:
    if webhooks is None:
        return '<p class="quiet">No webhook endpoint: events are only listed.</p>'
    now, then = ("on", "off") if webhooks else ("off", "on")
    return _card(f"<p>Webhooks are <strong>{now}</strong>.</p>{_act('', (f'webhooks-{then}', f'Turn them {then}'))}")


def _customer(one: Thing) -> list[str]:
    options = "".join(f'<option value="{seconds}">{name}</option>' for seconds, name in WAITS)
    label = f"Time to pass for {one.get('email') or one['id']}"
    choice = f'<select name="seconds" aria-label="{esc(label)}">{options}</select>'
    return [f"{told(one, 'email')}<small>{one['id']}</small>", minute(one["now"]), esc(one["card"]),
            _act(one["id"], ("advance", "Let it pass"), choice=choice)]  # fmt: skip


def _sub(one: Thing) -> list[str]:
    item = one["items"]["data"][0]
    key = item["price"]["lookup_key"] or item["price"]["id"]
    return [f"{esc(key)}<small>{one['id']}</small>", told(one, "status"), minute(item["current_period_end"]),
            amount(item["price"]["unit_amount"], one["currency"])]  # fmt: skip


def _payment(one: Thing) -> list[str]:
    buttons = [("refund", "Refund"), ("dispute", "Dispute")] if one["status"] == "succeeded" else []
    return [f"<code>{one['id']}</code>", told(one, "status"), amount(one["amount"], one["currency"]),
            _act(one["id"], *buttons) if buttons else ""]  # fmt: skip


def _dispute(one: Thing) -> list[str]:
    open_ = one["status"] not in {"won", "lost"}
    return [f"<code>{one['id']}</code>", told(one, "status"), amount(one["amount"], one["currency"]),
            _act(one["id"], ("won", "We win"), ("lost", "We lose")) if open_ else ""]  # fmt: skip


def _session(one: Thing) -> list[str]:
    go = f'<a href="/checkout/{one["id"]}">Open</a>'
    return [f"<code>{one['id']}</code>", told(one, "status"), amount(one["amount_total"], one["currency"]), go]


def _event(one: Thing) -> list[str]:
    about = str(one["data"]["object"].get("id", ""))
    return [f"{told(one, 'type')}<small>{one['id']}</small>", f"<code>{esc(about)}</code>", minute(one["created"]),
            "no" if one["pending_webhooks"] else "yes", _act(one["id"], ("resend", "Send again"))]  # fmt: skip
