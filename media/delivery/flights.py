"""One fetch for everybody who wants the same thing at the same time.

The fetch belongs to nobody who waits for it: whoever asked first may go away, and the others still get their answer.
With low latency nine of ten playlist requests arrive while the playlist they want is not there yet, so this and not
the cache is what keeps viewers away from the origin.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from media.errors import EdgeBusy

T = TypeVar("T")

MAX_FLIGHTS = 2000
# A playing stream needs a handful (the next playlist, the next part, a segment, for each rendition). The bound keeps
# somebody who makes up numbers from filling all of the edge with requests of one stream. It is far above the 39
# different reloads the origin holds at most (`packager.too_far`): the rest is refused there within milliseconds.
MAX_FLIGHTS_OF_ONE = 256


class Flights(Generic[T]):
    """The fetches under way, by key."""

    def __init__(self) -> None:
        self._flights: dict[str, asyncio.Task[T]] = {}
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._flights)

    def has(self, key: str) -> bool:
        """Whether a request for `key` would join one that is under way."""
        return key in self._flights

    async def join(self, key: str, owner: str, fetch: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The outcome of the fetch for `key`, begun now if there is none; its exception reaches all who wait.

        Raises `EdgeBusy` when `owner` (a stream), or everybody together, has too many under way.
        """
        flight = self._flights.get(key) or self._begin(key, owner, fetch)
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Give up what is under way; whoever waits is cancelled."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _begin(self, key: str, owner: str, fetch: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        if len(self._flights) >= MAX_FLIGHTS or self._of[owner] >= MAX_FLIGHTS_OF_ONE:
            raise EdgeBusy
        flight = self._flights[key] = asyncio.create_task(fetch(), name=f"fetch {key}")
        self._of[owner] += 1
        flight.add_done_callback(lambda done: self._landed(key, owner, done))
        return flight

    def _landed(self, key: str, owner: str, flight: asyncio.Task[T]) -> None:
        del self._flights[key]
        self._of[owner] -= 1
        if not self._of[owner]:
            del self._of[owner]
        if not flight.cancelled():
            flight.exception()  # everybody may have gone: then nobody else looks at it
