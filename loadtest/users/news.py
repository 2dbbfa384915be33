"""What the server tells everybody in a room, decoded once for all of them.

A frame of a big room arrives as the same bytes at every socket. Ten thousand decodings of it would cost more than the
server's sending, and would measure the generator. So bytes are looked up, and only the first to see them decodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")
KEPT = 512  # frames; a tick of 100 ms fills a minute with 600, and every socket has read a frame long before


class Entry(Struct):
    """As much of a log entry as is checked."""

    offset: int
    id: str = ""
    kind: str = "message"


class Answer(Struct):
    """Any acknowledgement; `recovered` stands only in that of a join."""

    ok: bool
    epoch: str = ""
    offset: int = 0
    recovered: bool | None = None
    entries: list[Entry] = []
    error: dict[str, object] = {}

    @property
    def code(self) -> str:
        return str(self.error.get("code", ""))


class Closing(Struct):
    """The body of `session:closing`."""

    code: str
    reconnect: bool = True
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """A frame of a room. `sent` are the moments its messages were sent, as far as they were sent by this process."""

    offsets: tuple[int, ...] = ()
    sent: tuple[float, ...] = ()
    whole: bool = False  # offsets grow by one
    total: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """An event for one client alone."""

    name: str
    body: msgspec.Raw


EVERYBODYS = frozenset({"chat", "room:viewers", "room:status"})
_event = msgspec.json.Decoder(list[msgspec.Raw])
_name = msgspec.json.Decoder(str)
_entries = msgspec.json.Decoder(list[Entry])


class Newsroom:
    """Decodes events. `seen` is what stood at each offset; `conflicts` counts offsets that two frames tell apart."""

    def __init__(self, sent: Mapping[str, float]) -> None:
        self.chunks: dict[bytes, tuple[News, ...]] = {}  # what one read gave, when it held nothing but news
        self.seen: dict[int, str] = {}
        self.conflicts = 0
        self._sent = sent
        self._known: dict[bytes, News] = {}

    def of(self, payload: bytes) -> News | Told:
        """The event in the payload of a `42` packet (what follows `42`)."""
        if (news := self._known.get(payload)) is not None:
            return news
        name, *body = _event.decode(payload)
        if (told := _name.decode(name)) not in EVERYBODYS:
            return Told(told, body[0] if body else msgspec.Raw(b"null"))
        news = self._chat(_entries.decode(body[0])) if told == "chat" else News()
        return _keep(self._known, payload, news)

    def remember(self, chunk: bytes, news: tuple[News, ...]) -> None:
        _keep(self.chunks, chunk, news)

    def check(self, entries: list[Entry]) -> None:
        """Hold entries against what stood at their offsets before; what was removed since has no id any more."""
        for entry in entries:
            if entry.kind != "removed":
                self.conflicts += self.seen.setdefault(entry.offset, entry.id) != entry.id

    def _chat(self, entries: list[Entry]) -> News:
        self.check(entries)
        offsets = tuple(entry.offset for entry in entries)
        whole = bool(offsets) and offsets == tuple(range(offsets[0], offsets[0] + len(offsets)))
        sent = tuple(moment for entry in entries if (moment := self._sent.get(entry.id)) is not None)
        return News(offsets, sent, whole, sum(offsets))


def _keep(kept: dict[bytes, T], key: bytes, value: T) -> T:
    if len(kept) >= KEPT:
        del kept[next(iter(kept))]
    kept[key] = value
    return value
