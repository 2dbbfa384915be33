"""The edge's memory: answers of the origin, for as long as the origin allows, within so many bytes."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# What an entry costs besides its body (key, headers, objects: 0.55 KB measured with tracemalloc), so that a flood of
# tiny answers is bounded too.
ENTRY_BYTES = 1024
MAX_ERROR_SECONDS = 5.0  # a mistake must not stay, whatever its headers say


@dataclass(frozen=True, slots=True)
class Stored:
    """One answer of the origin."""

    status: int
    body: bytes
    content_type: str
    cache_control: str
    etag: str
    stored_at: float
    fresh_until: float

    @property
    def cost(self) -> int:
        return len(self.body) + ENTRY_BYTES


def fresh_seconds(status: int, cache_control: str) -> float:
    """How long an answer with this Cache-Control may be given to others; 0 when it may not."""
    found: dict[str, str] = {}
    for directive in cache_control.lower().split(","):
        name, _, value = directive.strip().partition("=")
        found[name.strip()] = value.strip().strip('"')
    if found.keys() & {"no-store", "no-cache", "private"}:
        return 0.0
    seconds = found.get("s-maxage", found.get("max-age", ""))
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
        return 0.0
    return min(float(seconds), MAX_ERROR_SECONDS) if status >= 400 else float(seconds)


class ByteCache:
    """Keeps what was asked for last. An answer larger than an eighth of the room would push out too much."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._stored: OrderedDict[str, Stored] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._stored)

    def get(self, key: str, now: float) -> Stored | None:
        """The answer while it is fresh."""
        found = self._stored.get(key)
        if found is None:
            return None
        if found.fresh_until <= now:
            self._remove(key)
            return None
        self._stored.move_to_end(key)
        return found

    def put(self, key: str, answer: Stored, now: float) -> None:
        """Keep the answer if it may and can be kept."""
        self._remove(key)
        if answer.fresh_until <= now or answer.cost > self._max_bytes // 8:
            return
        self._stored[key] = answer
        self.bytes += answer.cost
        while self.bytes > self._max_bytes:
            self._remove(next(iter(self._stored)))

    def remove_where(self, unwanted: Callable[[str], bool]) -> int:
        """Forget every answer with such a key; how many there were."""
        keys = [key for key in self._stored if unwanted(key)]
        for key in keys:
            self._remove(key)
        return len(keys)

    def _remove(self, key: str) -> None:
        if gone := self._stored.pop(key, None):
            self.bytes -= gone.cost
