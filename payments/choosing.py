"""Who of a room gets gifts: everybody has the same chance, and the same question has the same answer. Pure.

Each viewer has a place in the queue of each order, made of both ids by a hash that nobody can steer: ids are given by
us, and an order gets its own after the room was filled. So it does not matter in which order the list comes, and
somebody who comes or goes moves nobody else.
"""

import hashlib
from collections.abc import Container, Iterable


def chosen(order_id: str, present: Iterable[str], count: int, *, without: Container[str | None] = ()) -> list[str]:
    """At most `count` of those present, none twice and none of `without`, first in the queue first."""
    waiting = {user_id for user_id in present if user_id not in without}
    return sorted(waiting, key=lambda user_id: _place(order_id, user_id))[:count]


def _place(order_id: str, user_id: str) -> bytes:
    return hashlib.sha256(f"{order_id}\n{user_id}".encode()).digest()
