"""A request to the sandbox, read: which objects its path names, and what it asks for."""

from dataclasses import dataclass, field
from typing import Any

from payments.sandbox.book import Thing
from payments.sandbox.errors import invalid, missing


@dataclass(frozen=True, slots=True)
class Ask:
    """`ids` are those of the path, from left to right."""

    params: Thing = field(default_factory=dict)
    ids: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.ids[0]

    def text(self, name: str) -> str | None:
        """None for what is not there or empty. Raises `Refused` for what is no text."""
        value = self.params.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid(f"Invalid string: {name}", name)
        return value or None

    def need(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def number(self, name: str, least: int = 0) -> int | None:
        value = self.text(name)
        return None if value is None else whole(value, name, least)

    def inner(self, name: str) -> Thing:
        """A nested object; empty when it is not there."""
        value = self.params.get(name) or {}
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {name}", name)
        return value

    def listed(self, name: str) -> list[Any]:
        value = self.params.get(name) or []
        if not isinstance(value, list):
            raise invalid(f"Invalid array: {name}", name)
        return value

    def metadata(self, name: str = "metadata") -> dict[str, str]:
        return {key: str(value) for key, value in self.inner(name).items()}


def whole(value: object, name: str, least: int = 0) -> int:
    """Raises `Refused` for anything but a whole number of at least `least`."""
    try:
        number = int(str(value))
    except ValueError:
        raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer") from None
    if number < least:
        raise invalid(f"Invalid integer: {value} is below {least}", name, "parameter_invalid_integer")
    return number


def merged(before: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """Stripe's metadata: what is named changes, what is empty goes."""
    return {name: value for name, value in {**before, **changes}.items() if value}
