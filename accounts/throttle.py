"""How often somebody may guess a password: counted for each account and address together.

So a guesser is stopped, an unknown e-mail is counted like a known one, and the owner is never locked out from
elsewhere. An attempt is counted before the password is looked at and forgiven when it was right: a thousand parallel
guesses are still MOST guesses.
"""

import hashlib
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from accounts.errors import TooManyAttempts
from infra.stores.redis import Functions, Redis, asked

SOURCE = Path(__file__).with_name("throttle.lua")
MOST = 10
WINDOW = timedelta(minutes=10)


class Throttle:
    """Counts attempts in the cluster. Raises `Unavailable` when it cannot: then nobody can sign in anyway."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._functions = Functions(redis, SOURCE.read_text())

    async def attempt(self, account: str, address: str) -> None:
        """Count one attempt; `TooManyAttempts` when there were MOST in the window."""
        window_ms = int(WINDOW.total_seconds() * 1000)
        wait_ms = await self._functions.call("throttle_attempt", [_counter(account, address)], [MOST, window_ms])
        if wait_ms:
            raise TooManyAttempts(retry_after_ms=int(wait_ms))

    async def forgive(self, account: str, address: str) -> None:
        """The password was right: start counting anew."""
        await asked(lambda: self._redis.delete(_counter(account, address)))


def _counter(account: str, address: str) -> str:
    # Hashed: e-mail addresses of people who never signed up do not belong into a store.
    name = hashlib.sha256(f"{account}\n{_network(address)}".encode()).hexdigest()[:32]
    return f"attempts:{{{name}}}"


def _network(address: str) -> str:
    """A home or a server has a whole /64 of IPv6 addresses to itself; it counts as one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), 64), strict=False))
    return str(parsed)
