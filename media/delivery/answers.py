"""What a client gets of an answer the edge has: all of it, a range, or "you have it already". Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from media.delivery.cache import Stored

Header = tuple[bytes, bytes]

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: list[Header]
    body: bytes | memoryview = b""


def answer(stored: Stored, asked: Mapping[str, str], age_seconds: float) -> Answer:
    """Answer a GET whose request headers (lower case) are `asked`."""
    headers = [
        (b"content-type", stored.content_type.encode("latin-1")),
        (b"cache-control", stored.cache_control.encode("latin-1")),
        (b"age", str(max(0, int(age_seconds))).encode()),
    ]
    if stored.status == 503:
        headers.append((b"retry-after", b"1"))
    if stored.status != 200:
        return whole(stored.status, headers, stored.body)
    headers += [(b"etag", stored.etag.encode("latin-1")), (b"accept-ranges", b"bytes")]
    if _has_it(asked.get("if-none-match", ""), stored.etag):
        return Answer(304, headers[1:])
    span = _span(asked.get("range", ""), len(stored.body))
    if span is None or asked.get("if-range", stored.etag) != stored.etag:
        return whole(200, headers, stored.body)
    first, end = span
    if first >= end:
        return whole(416, [*headers, (b"content-range", f"bytes */{len(stored.body)}".encode())], b"")
    headers.append((b"content-range", f"bytes {first}-{end - 1}/{len(stored.body)}".encode()))
    return whole(206, headers, memoryview(stored.body)[first:end])


def whole(status: int, headers: list[Header], body: bytes | memoryview) -> Answer:
    """An answer that says how long it is."""
    return Answer(status, [*headers, (b"content-length", str(len(body)).encode())], body)


def _has_it(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags


def _span(text: str, size: int) -> tuple[int, int] | None:
    """`(first, end)` of a single byte range, empty when it lies outside; None: give all (RFC 9110, section 14.2)."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size
