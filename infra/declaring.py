"""How a setting is declared: a dataclass field that names its variable, says what it means and what is allowed."""

import types
from collections.abc import Callable
from dataclasses import field
from ipaddress import ip_address, ip_network
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

Check = Callable[[Any], str | None]  # what is allowed, when the value is not


def setting(
    variable: str,
    default: Any,
    meaning: str,
    *,
    check: Check | None = None,
    secret: bool = False,
    with_password: bool = False,
) -> Any:
    """Declare a field that is read from `variable`.

    A `secret` is never shown and has no default in `.env.example`; a URL `with_password` is shown without it.
    """
    metadata = {"variable": variable, "meaning": meaning, "check": check, "secret": secret}
    return field(default=default, metadata=metadata, repr=not (secret or with_password))


def between(low: float, high: float) -> Check:
    return lambda value: None if low <= value <= high else f"a number from {low:g} to {high:g}"


def beginning(*prefixes: str) -> Check:
    """For keys that say what they are: one pasted into the wrong place is noticed at start."""

    def check(value: str | tuple[str, ...]) -> str | None:
        every = (value,) if isinstance(value, str) else value
        fits = all(one == "" or one.startswith(prefixes) for one in every)
        return None if fits else f"a key that starts with {' or '.join(prefixes)}"

    return check


def url(*schemes: str) -> Check:
    allowed = f"a URL that starts with {' or '.join(scheme + '://' for scheme in schemes)}"

    def check(value: str) -> str | None:
        try:
            parts = urlsplit(value)
            fits = parts.scheme in schemes and bool(parts.hostname) and ("," in parts.netloc or parts.port != 0)
        except ValueError:
            fits = False
        return None if fits else allowed

    return check


def optional_url(value: str) -> str | None:
    return url("http", "https")(value) if value else None


def networks(values: tuple[str, ...]) -> str | None:
    try:
        [ip_network(value) for value in values]
    except ValueError:
        return "IP networks such as 10.0.0.0/8, separated by commas"
    return None


def own_address(value: str) -> str | None:
    try:
        fits = not ip_address(value).is_unspecified and not ip_address(value).is_multicast
    except ValueError:
        fits = False
    return None if fits else "the IP address of one interface"


def urls(*schemes: str) -> Check:
    one = url(*schemes)
    return lambda values: next((problem for value in values if (problem := one(value))), None)


def bus_url(value: str) -> str | None:
    problem = url("amqp", "amqps")(value)
    return None if value == "redis:" or problem is None else f"redis: or {problem}"


def parse(kind: Any, raw: str) -> tuple[Any, str | None]:
    """The value, or what is allowed when `raw` is not of this kind."""
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return raw, None if raw in choices else "one of " + ", ".join(choices)
    if isinstance(kind, types.GenericAlias) and kind.__origin__ is tuple:
        values = tuple(part.strip() for part in raw.split(",") if part.strip())
        return values, None if values else "at least one value"
    if kind is bool:
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        return words.get(raw.lower()), None if raw.lower() in words else "true or false"
    try:
        return kind(raw), None
    except ValueError:
        return None, {int: "a whole number", float: "a number"}.get(kind, f"a {kind.__name__}")
