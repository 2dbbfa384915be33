"""How many sockets a node takes, and how many of them from one address."""

from ipaddress import IPv6Address, IPv6Network

from infra.errors import TooMany, Unavailable

COME_BACK_MS = 10_000
CUSTOMER_PREFIX = 64  # bits of an IPv6 address: one customer has all the rest


class TooManySockets(TooMany):
    code = "limit.sockets"
    message = "There are too many connections from your address. Close some, or wait a moment."


class NodeFull(Unavailable):
    message = "This server is full. Try again in a moment."


class Places:
    """Counts sockets. It holds one number for each address that has any, so at most `total` of them."""

    def __init__(self, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._of: dict[str, int] = {}
        self.taken = 0

    def take(self, address: str) -> str:
        """Count one more and return what to `free` when it is over; '' is an address that nobody knows.

        Raises `NodeFull` or `TooManySockets`.
        """
        if self.taken >= self._total:
            raise NodeFull(retry_after_ms=COME_BACK_MS)
        key = customer_of(address)
        if key:
            taken = self._of.get(key, 0)
            if taken >= self._per_address:
                raise TooManySockets(retry_after_ms=COME_BACK_MS)
            self._of[key] = taken + 1
        self.taken += 1
        return key

    def free(self, key: str) -> None:
        """The socket that took this place is gone."""
        self.taken -= 1
        if key:
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]

    def __len__(self) -> int:
        """Addresses that have sockets."""
        return len(self._of)


def customer_of(address: str) -> str:
    """What is counted: the address, or the network of an IPv6 address."""
    if ":" not in address:
        return address
    return str(IPv6Network((IPv6Address(address), CUSTOMER_PREFIX), strict=False))
