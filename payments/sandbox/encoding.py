"""Form bodies and queries as Stripe's clients write them: `items[0][price]=price_1`, `expand[]=customer`."""

import re
from collections.abc import Iterable
from typing import Any

from payments.sandbox.errors import Refused

KEY = re.compile(r"[^\[\]]+|\[[^\[\]]*\]")
DEEPEST = 8


def read_form(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nested dictionaries and lists of strings. Raises `Refused` for a key that is nested without end."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        path = [part.strip("[]") for part in KEY.findall(key)]
        if not path or len(path) > DEEPEST:
            raise Refused(f"Invalid parameter name: {key[:100]}", code="parameter_invalid_empty", param=key[:100])
        _put(found, path, value)
    return {name: _lists(value) for name, value in found.items()}


def is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _put(found: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        inner = found.setdefault(part or str(len(found)), {})
        if not isinstance(inner, dict):
            raise Refused(f"Invalid object: {path[0]}", param=path[0])
        found = inner
    found[path[-1] or str(len(found))] = value


def _lists(value: Any) -> Any:
    """A dictionary whose keys are numbers is a list."""
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(one) for name, one in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
