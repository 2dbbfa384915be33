"""Lists as Stripe gives them: newest first, page by page, narrowed down; and objects inside of objects (`expand`)."""

from collections.abc import Callable

from payments.sandbox.asking import Ask, whole
from payments.sandbox.book import Book, Thing
from payments.sandbox.encoding import is_true
from payments.sandbox.errors import Refused, invalid, no_such

USUAL, MOST = 10, 100
DEEPEST = 4

Keep = Callable[[Thing], bool]
Lister = Callable[[Book, Ask], Thing]

COMPARED: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda one, other: one > other,
    "gte": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "lte": lambda one, other: one <= other,
}


def lister(kind: str, path: str, *by: str, also: Callable[[Ask], Keep] | None = None) -> Lister:
    """A list of one kind. `by` are the fields that narrow it, `also` what is particular to it."""

    def listed(book: Book, ask: Ask) -> Thing:
        equal = {name: value for name in by if (value := ask.text(name))}
        return _page(book.find(kind, **equal), ask, also(ask) if also else _all, path)

    return listed


def subscriptions(ask: Ask) -> Keep:
    """Those that are over are left out unless asked for."""
    status = ask.text("status")
    if status == "all":
        return _all
    return lambda one: one["status"] == status if status else one["status"] != "canceled"


def prices(ask: Ask) -> Keep:
    keys, active = ask.listed("lookup_keys"), ask.text("active")
    return lambda one: (not keys or one["lookup_key"] in keys) and (active is None or one["active"] == is_true(active))


def events(ask: Ask) -> Keep:
    types, delivered = [*ask.listed("types"), *filter(None, [ask.text("type")])], ask.text("delivery_success")

    def keep(one: Thing) -> bool:
        taken = one["pending_webhooks"] == 0
        return (not types or one["type"] in types) and (delivered is None or taken == is_true(delivered))

    return keep


def invoice_payments(book: Book, ask: Ask) -> Thing:
    """By invoice, or by what paid."""
    equal = {name: value for name in ("invoice", "status") if (value := ask.text(name))}
    if payment := ask.inner("payment").get("payment_intent"):
        equal["payment_intent"] = str(payment)
    return _page(book.find("invoice_payment", **equal), ask, _all, "/v1/invoice_payments")


def expanded(book: Book, thing: Thing, paths: list[str]) -> Thing:
    """With the objects that these paths name in place of their ids. Raises `Refused` for what is no reference."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEEPEST:
            raise invalid("You cannot expand more than 4 levels of a property.", "expand")
        _expand(book, thing, parts, path)
    return thing


def _expand(book: Book, thing: Thing, parts: list[str], path: str) -> None:
    name, rest = parts[0], parts[1:]
    if name not in thing:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    value = thing[name]
    if isinstance(value, str):
        found = book.rows.load(value)
        if found is None:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        value = thing[name] = found
    for inner in value if isinstance(value, list) else [value]:
        if rest and isinstance(inner, dict):
            _expand(book, inner, rest, path)


def _page(found: list[Thing], ask: Ask, keep: Keep, path: str) -> Thing:
    limit = ask.number("limit", 1) or USUAL
    if limit > MOST:
        raise invalid(f"Invalid limit: {limit} is above {MOST}", "limit")
    made = _made(ask)
    found = [one for one in found if made(one) and keep(one)]
    if after := ask.text("starting_after"):
        found = found[_place(found, after, "starting_after") + 1 :]
    elif before := ask.text("ending_before"):
        earlier = found[: _place(found, before, "ending_before")]
        return _as_list(earlier[-limit:], path, more=len(earlier) > limit)
    return _as_list(found[:limit], path, more=len(found) > limit)


def _as_list(found: list[Thing], path: str, *, more: bool) -> Thing:
    return {"object": "list", "data": found, "has_more": more, "url": path}


def _place(found: list[Thing], object_id: str, param: str) -> int:
    for place, one in enumerate(found):
        if one["id"] == object_id:
            return place
    raise no_such("object", object_id, param)


def _made(ask: Ask) -> Keep:
    said = ask.params.get("created")
    if said is None:
        return _all
    if not isinstance(said, dict):
        at = whole(said, "created")
        return lambda one: bool(one["created"] == at)
    if unknown := set(said) - set(COMPARED):
        raise Refused(f"Received unknown parameter: created[{unknown.pop()}]", code="parameter_unknown", kept=False)
    bounds = [(COMPARED[name], whole(value, f"created[{name}]")) for name, value in said.items()]
    return lambda one: all(compare(one["created"], bound) for compare, bound in bounds)


def _all(_: Thing) -> bool:
    return True
