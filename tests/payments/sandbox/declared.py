"""Whether an object is what stripe-python's class of it declares.

No field that the class does not know, none missing that is never left out, and values of the declared kinds, all the
way down. A reference to another object's class is followed by what the object says it is (`object`).
"""

import types
from collections.abc import Callable
from decimal import Decimal
from inspect import get_annotations
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin, get_type_hints

from stripe import ListObject, StripeObject
from stripe._object_classes import get_object_class

NO_FIELDS = {"OBJECT_NAME"}
# References that Stripe leaves out when there is nothing: the issuer is ourselves, a payment intent pays.
LEFT_OUT = (".issuer.account", ".liability.account", ".payment.charge", ".payment.payment_record")
PLAIN: dict[Any, type | tuple[type, ...]] = {
    int: int,
    str: str,
    Decimal: (str, Decimal),
    float: (int, float),
    dict: dict,
}


def undeclared(value: dict[str, Any], path: str) -> list[str]:
    """What is wrong with an object, by its own word of what it is. A deleted one has nothing to say."""
    shape = get_object_class("V1", value["object"])
    assert shape is not StripeObject, f"{path}: {value['object']} is not known"
    return [] if value.get("deleted") is True else _object(value, shape, path, ())


def fields_of(shape: type[StripeObject]) -> dict[str, Any]:
    """What a class declares itself. What its module only imports for type checkers stays a forward reference."""
    own = get_annotations(shape)
    try:
        hints = get_type_hints(shape)
    except NameError:
        hints = own
    return {name: hints[name] for name in own if name not in NO_FIELDS}


def _problems(value: Any, kind: Any, path: str) -> list[str]:
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(kind, ForwardRef | str) or kind in {Any, StripeObject}:
        return undeclared(value, path) if isinstance(value, dict) and "object" in value else []
    if _is_union(kind):
        return _one_of(value, inner, path)
    if value is None or kind is type(None):
        return [] if value is None and kind is type(None) else [f"{path}: {value!r} is no {kind}"]
    check = CHECKS.get(origin or kind)
    if check is not None:
        return check(value, inner, path)
    shape = origin or kind
    if isinstance(shape, type) and issubclass(shape, StripeObject):
        return _object(value, shape, path, inner)
    fits = isinstance(value, PLAIN[shape]) and not isinstance(value, bool)
    return [] if fits else [f"{path}: {value!r} is no {kind}"]


def _one_of(value: Any, kinds: tuple[Any, ...], path: str) -> list[str]:
    """Beside the names that are declared stripe-python takes any text, for those to come; we do not."""
    named = [one for one in kinds if get_origin(one) is Literal]
    kinds = tuple(one for one in kinds if one is not str) if named else kinds
    return min((_problems(value, one, path) for one in kinds), key=len)


def _literal(value: Any, names: tuple[Any, ...], path: str) -> list[str]:
    return [] if value in names else [f"{path}: {value!r} is not declared"]


def _list(value: Any, inner: tuple[Any, ...], path: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{path}: no list"]
    return [said for place, one in enumerate(value) for said in _problems(one, inner[0], f"{path}[{place}]")]


def _bool(value: Any, _: tuple[Any, ...], path: str) -> list[str]:
    return [] if isinstance(value, bool) else [f"{path}: {value!r} is no bool"]


CHECKS: dict[Any, Callable[[Any, tuple[Any, ...], str], list[str]]] = {Literal: _literal, list: _list, bool: _bool}


def _object(value: Any, shape: type[StripeObject], path: str, inner: tuple[Any, ...]) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no {shape.__name__}"]
    if issubclass(shape, ListObject):
        each = [said for place, one in enumerate(value["data"]) for said in undeclared(one, f"{path}.data[{place}]")]
        return [*each, *(f"{path}.{name} is missing" for name in ("object", "url", "has_more") if name not in value)]
    if shape.__name__ == "UntypedStripeObject":
        kind = inner[0] if inner else Any
        return [said for name, one in value.items() for said in _problems(one, kind, f"{path}.{name}")]
    declared = fields_of(shape)
    found = [f"{path}.{name} is not declared" for name in value if name not in declared]
    found += [
        f"{path}.{name} is missing"
        for name, kind in declared.items()
        if name not in value and _always(kind) and not f"{path}.{name}".endswith(LEFT_OUT)
    ]
    for name in value.keys() & declared.keys():
        found += _problems(value[name], declared[name], f"{path}.{name}")
    return found


def _always(kind: Any) -> bool:
    """Never left out: what cannot be null, and references, which are null when there is nothing."""
    names = get_args(kind) if _is_union(kind) else ()
    return type(None) not in names or (str in names and any(isinstance(one, ForwardRef) for one in names))


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in {Union, types.UnionType}
