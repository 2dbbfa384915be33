"""Whose request is it? The client's address behind any number of trusted proxies.

Proxies append the address they saw to X-Forwarded-For, so only the right end can be believed: walking from the right,
the first address that is not one of our proxies is the client. Whatever stands further left is the client's own claim.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
REMEMBERED = 4096  # addresses: looking at every network costs 10 µs for each request
LIMIT_IPV6_PREFIX = 64  # one customer gets a whole /64: limiting single addresses would limit nobody


class TrustedProxies:
    """The networks whose word we take."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(network) for network in networks]
        self._known: dict[Address, bool] = {}

    def __contains__(self, address: Address) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[address] = self._covers(address)
        return known

    def _covers(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)

    def client_of(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """The client's address; `peer` is who is connected to us, `forwarded_for` the values of all such headers."""
        hops = [part.strip() for value in forwarded_for for part in value.split(",")]
        client = _parse(peer)
        if client is None:
            return "unknown"
        while client in self and hops:
            further = _parse(hops.pop())
            if further is None:
                break  # not an address: believe nothing further left
            client = further
        return str(client)


def limit_key(address: str) -> str:
    """What a rate is counted by: the address, or the /64 of an IPv6 address."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, LIMIT_IPV6_PREFIX), strict=False))
    return address


@lru_cache(maxsize=4096)  # the proxies' own addresses, above all
def _parse(text: str) -> Address | None:
    try:
        parsed = ip_address(text.strip("[]").split("%")[0])
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
