"""The origin: playlists and segments over HTTP, out of memory. A plain ASGI app; the edge in front of it caches.

Waiting is part of the protocol: a playlist with `_HLS_msn` and a hinted part are answered when they exist.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from media.packaging.packager import Packager

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PLAYLIST, VIDEO, TEXT = "application/vnd.apple.mpegurl", "video/mp4", "text/plain; charset=utf-8"
FOREVER = "public, max-age=31536000, immutable"
BRIEFLY, NEVER = "max-age=1", "no-store"
HOLD_TARGETS = 3  # how many target durations an answer may wait (RFC 8216bis, section 6.2.5.2)
SATISFIED_TARGETS = 6  # how long what was waited for may be cached
MAX_WAITING = 2000  # at once; the edge lets one of each through
MAX_QUERY_BYTES = 256

ROUTE = re.compile(
    r"/live/(?P<playback>[A-Za-z0-9_-]{1,64})/"
    r"(?:(?P<index>index)\.m3u8|(?P<media>source)\.m3u8"
    r"|source/(?:init-(?P<header>\d{1,12})\.mp4|(?P<number>\d{1,12})(?:\.(?P<part>\d{1,5}))?\.m4s))"
)
NUMBER = re.compile(r"\d{1,12}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    content_type: str
    cache: str


NOT_FOUND = Answer(404, b"There is nothing here.\n", TEXT, BRIEFLY)
NOT_YET = Answer(503, b"Not yet. Try again in a second.\n", TEXT, NEVER)
BUSY = Answer(503, b"Too many wait already.\n", TEXT, NEVER)
BAD_METHOD = Answer(405, b"Only GET and HEAD.\n", TEXT, NEVER)
BAD_DIRECTIVE = Answer(400, b"_HLS_msn and _HLS_part must be near the end of the playlist.\n", TEXT, NEVER)


class Origin:
    """`packagers` maps playback ids to what is on air; the live process keeps it."""

    def __init__(self, packagers: Mapping[str, Packager]) -> None:
        self._packagers = packagers
        self._waiting = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = await self._answer(scope)
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"cache-control", answer.cache.encode()),
        ]
        if answer.status == 503:
            headers.append((b"retry-after", b"1"))
        if answer is BAD_METHOD:
            headers.append((b"allow", b"GET, HEAD"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answer(self, scope: Mapping[str, Any]) -> Answer:
        if scope["method"] not in {"GET", "HEAD"}:
            return BAD_METHOD
        if scope["path"] == "/livez":
            return Answer(200, b"ok\n", TEXT, NEVER)
        asked = ROUTE.fullmatch(scope["path"])
        packager = self._packagers.get(asked["playback"]) if asked else None
        if asked is None or packager is None:
            return NOT_FOUND
        if asked["header"]:
            return _media(packager.header(int(asked["header"])))
        if asked["number"]:
            return await self._segment(packager, int(asked["number"]), asked["part"])
        return await self._playlist(packager, asked, scope["query_string"])

    async def _playlist(self, packager: Packager, asked: re.Match[str], query: bytes) -> Answer:
        if asked["media"]:
            return await self._media_playlist(packager, query)
        return _playlist(packager.multivariant(), BRIEFLY) if packager.playable else NOT_YET

    async def _media_playlist(self, packager: Packager, query: bytes) -> Answer:
        directives = _directives(query)
        if directives is None:
            return BAD_DIRECTIVE
        if not packager.playable:
            return NOT_YET
        number, part = directives
        if number is None:
            return _playlist(packager.playlist(), BRIEFLY)
        if packager.too_far(number, part):
            return BAD_DIRECTIVE
        reached = await self._wait(packager, number, part if packager.has_parts else None)
        if reached is None:
            return BUSY
        # Nothing came: the encoder may have dropped. The playlist as it is keeps players patient; an error would not.
        # Nor is it kept under names nobody reads in a playlist: made-up ones would push everything else out of caches.
        is_lasting = reached and packager.is_named(number, part)
        cache = f"max-age={SATISFIED_TARGETS * packager.target_seconds}" if is_lasting else NEVER
        return _playlist(packager.playlist(), cache)

    async def _segment(self, packager: Packager, number: int, part: str | None) -> Answer:
        if part is None:
            segment = packager.segment(number)
            whole = segment is not None and segment.complete
            return _media(b"".join(part.data for part in segment.parts) if segment and whole else None)
        if packager.is_next(number, int(part)) and await self._wait(packager, number, int(part)) is None:
            return BUSY
        return _media(packager.part(number, int(part)))

    async def _wait(self, packager: Packager, number: int, part: int | None) -> bool | None:
        """Whether it came in time; None when too many wait."""
        if packager.has(number, part):
            return True
        if self._waiting >= MAX_WAITING:
            return None
        self._waiting += 1
        try:
            return await packager.reached(number, part, HOLD_TARGETS * packager.target_seconds)
        finally:
            self._waiting -= 1


def _directives(query: bytes) -> tuple[int | None, int | None] | None:
    """`_HLS_msn` and `_HLS_part`; None when they make no sense."""
    if len(query) > MAX_QUERY_BYTES:
        return None
    asked = parse_qs(query.decode("latin-1"))
    numbers = [asked.get(name, [None])[0] for name in ("_HLS_msn", "_HLS_part")]
    if any(number is not None and not NUMBER.fullmatch(number) for number in numbers):
        return None
    number, part = (None if text is None else int(text) for text in numbers)
    return None if number is None and part is not None else (number, part)


def _media(data: bytes | None) -> Answer:
    return NOT_FOUND if data is None else Answer(200, data, VIDEO, FOREVER)


def _playlist(text: str, cache: str) -> Answer:
    return Answer(200, text.encode(), PLAYLIST, cache)
