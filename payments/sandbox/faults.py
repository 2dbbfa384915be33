"""Faults on demand: what a test wants Stripe to do wrong, how often, and with which requests."""

from dataclasses import dataclass
from typing import Literal

import msgspec

Kind = Literal["hang", "error", "busy", "reset"]


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """`hang`: no answer for `seconds`; `error`: `status`; `busy`: 429 with `retry_after`; `reset`: the connection
    breaks off. `done`: what was asked for happens all the same (a reset's does unless it is said to be false).
    `count` of them, or until they are cleared (None), for requests whose path begins with `path`.
    """

    kind: Kind
    path: str = "/v1/"
    method: str | None = None
    count: int | None = None
    seconds: float = 3600.0
    status: int = 500
    retry_after: float | None = None
    done: bool | None = None

    @property
    def happens(self) -> bool:
        return self.kind == "reset" if self.done is None else self.done


@dataclass
class Faults:
    """Those that are asked for, in order; the first that fits counts."""

    asked: list[Fault]

    def add(self, fault: Fault) -> None:
        self.asked.append(fault)

    def clear(self) -> None:
        self.asked.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of this request, which is used up by that."""
        for fault in self.asked:
            if path.startswith(fault.path) and fault.method in {None, method}:
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self.asked.remove(fault)
                return fault
        return None
