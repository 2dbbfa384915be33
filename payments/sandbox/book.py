"""What the sandbox remembers: Stripe's objects as the dictionaries they are answered as, and what happened to them.

All the rules of the sandbox are functions over a `Book`; where its rows are kept is somebody else's affair
(`store.py`: SQLite). What a rule must remember that Stripe does not show is under `_` and never leaves.
"""

import copy
from collections.abc import Callable
from typing import Any, Protocol

from payments.sandbox.errors import no_such

Thing = dict[str, Any]

HIDDEN = "_"
API_VERSION = "2026-10-28.endive"
# Fields by which objects are looked up. Those that are nested are named by `references`.
REFERENCES = (
    "customer", "payment_intent", "charge", "status", "destination", "transfer_group", "lookup_key", "test_clock",
    "invoice", "subscription", "type",
)  # fmt: skip

WITHOUT_MODE = ("account", "account_link", "balance_transaction", "refund", "transfer_reversal")  # have no `livemode`


class Rows(Protocol):
    """Objects in the order they were made."""

    def load(self, object_id: str) -> Thing | None: ...
    def save(self, thing: Thing) -> None: ...
    def find(self, kind: str, **equal: str) -> list[Thing]:
        """Newest first."""
        ...

    def deliver(self, event_id: str, at: float) -> None:
        """Have an event told to who listens."""
        ...

    def due(self, until: int | None) -> list[Thing]:
        """What has to be looked at by then (None: ever), earliest first."""
        ...


class Book:
    """One look at the rows, in one transaction. `url` is where people open the sandbox.

    `listeners`: how many want to be told of events.
    """

    def __init__(self, rows: Rows, now: int, new_id: Callable[[], str], url: str, *, listeners: int = 1) -> None:
        self.rows = rows
        self._listeners = listeners
        self.now = now
        self.new_id = new_id
        self.url = url

    def get(self, kind: str, object_id: str, param: str = "id") -> Thing:
        """Raises `Refused` (`resource_missing`)."""
        found = self.rows.load(object_id)
        if found is None or found["object"] != kind:
            raise no_such(kind, object_id, param)
        return found

    def make(self, kind: str, prefix: str, at: int, **fields: Any) -> Thing:
        """A new object, kept."""
        thing = {"id": f"{prefix}_{self.new_id()}", "object": kind, "created": at, **fields}
        if kind not in WITHOUT_MODE:
            thing["livemode"] = False
        self.rows.save(thing)
        return thing

    def change(self, thing: Thing, **fields: Any) -> Thing:
        thing.update(fields)
        self.rows.save(thing)
        return thing

    def hide(self, thing: Thing, **notes: Any) -> Thing:
        """Remember something about an object. `due` is when it has to be looked at again."""
        thing[HIDDEN] = {**thing.get(HIDDEN, {}), **notes}
        self.rows.save(thing)
        return thing

    def note(self, thing: Thing, name: str) -> Any:
        return thing.get(HIDDEN, {}).get(name)

    def find(self, kind: str, **equal: str) -> list[Thing]:
        return self.rows.find(kind, **equal)

    def time(self, customer_id: str | None) -> int:
        """What time it is for a customer: their test clock's, if they have one."""
        customer = self.rows.load(customer_id) if customer_id else None
        clock = self.rows.load(customer["test_clock"]) if customer and customer.get("test_clock") else None
        return int(clock["frozen_time"]) if clock else self.now

    def tell(self, type_: str, thing: Thing, *, account: str | None = None, **before: Any) -> None:
        """Something happened. `before` is what changed, as it was."""
        at = self.time(thing["id"] if thing["object"] == "customer" else thing.get("customer"))
        told: Thing = {"object": shown(thing)}
        if before:
            told["previous_attributes"] = before
        event = self.make(
            "event", "evt", at, api_version=API_VERSION, type=type_, data=told, pending_webhooks=self._listeners,
            request={"id": None, "idempotency_key": None}, **({"account": account} if account else {}),
        )  # fmt: skip
        if self._listeners:
            self.rows.deliver(event["id"], self.now)


def shown(thing: Any) -> Any:
    """A copy without what Stripe would not show."""
    if isinstance(thing, dict):
        return {name: shown(value) for name, value in thing.items() if name != HIDDEN}
    return [shown(one) for one in thing] if isinstance(thing, list) else copy.copy(thing)


def references(thing: Thing) -> dict[str, str]:
    """By what an object is found."""
    found = {name: thing[name] for name in REFERENCES if isinstance(thing.get(name), str)}
    if thing["object"] == "invoice":
        details = (thing.get("parent") or {}).get("subscription_details") or {}
        found["subscription"] = details.get("subscription", "")
    if thing["object"] == "invoice_payment":
        found["payment_intent"] = thing["payment"].get("payment_intent") or ""
    return found


def page_of(things: list[Thing], url: str) -> Thing:
    """A list that is part of an object."""
    return {"object": "list", "data": things, "has_more": False, "url": url}
