"""Random byte streams of a WebSocket client: sound ones, and ones that are wrong in every way RFC 6455 knows."""

import random
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MAX_BYTES = 4096  # the limit that parsers under comparison are given: small, so that it is often reached
LETTERS = ("a", "chat", "é", "ß", "✓", "語", "🎉", "\0", "\x7f", "\u07ff", "\u0800", "\ufffd", "\U0010ffff")
BROKEN_UTF8 = (
    b"\x80", b"\xc0\xaf", b"\xe2\x9c", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x9f\x8e", b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\xc1\xbf", b"\xe0\x80\x80", b"\xf0\x80\x80\x80",
)  # fmt: skip
CLOSE_CODES = (0, 1, 999, 1000, 1001, 1003, 1004, 1005, 1006, 1007, 1011, 1012, 1013, 1014, 1015, 1016, 1100, 2000,
               2999, 3000, 3999, 4000, 4999, 5000, 65535)  # fmt: skip
SIZES = (
    0,
    0,
    1,
    2,
    3,
    5,
    20,
    124,
    125,
    126,
    127,
    128,
    300,
    1000,
    MAX_BYTES - 1,
    MAX_BYTES,
    MAX_BYTES + 1,
    65535,
    65536,
)
SIZE_WEIGHTS = (6, 6, 8, 8, 8, 20, 20, 3, 3, 3, 3, 3, 3, 2, 1, 1, 1, 0.1, 0.1)
GIANTS = (65536, MAX_BYTES + 1, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


class Stream(NamedTuple):
    """What one client sends, as the pieces the server reads, and how many frames were written into it."""

    pieces: list[bytes]
    frames: int


def random_stream(rng: random.Random) -> Stream:
    """One connection's bytes; about half of all streams are sound from beginning to end."""
    wrong = 0.0 if rng.random() < 0.5 else 0.15
    frames = [frame for _ in range(rng.randint(1, 8)) for frame in _message(rng, wrong)]
    if rng.random() < 0.1:
        frames.insert(rng.randint(0, len(frames)), _close(rng))
    data = b"".join(frames)
    if wrong and rng.random() < 0.5:
        data = _mutated(rng, data)
    return Stream(list(_cut(rng, data)), len(frames))


def frame(
    opcode: int,
    payload: bytes,
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = b"\0\0\0\0",
    width: int | None = None,
    announced: int | None = None,
) -> bytes:
    """One frame. `width` (0, 2, 8) writes the length in that many bytes, needed or not; `announced` lies about it."""
    length = len(payload) if announced is None else announced
    if width is None:
        width = 0 if length < 126 else 2 if length < 65536 else 8
    short = length & 0x7F if width == 0 else 126 if width == 2 else 127
    head = bytes([fin << 7 | reserved << 4 | opcode, (mask is not None) << 7 | short])
    if width:
        head += struct.pack("!H", length & 0xFFFF) if width == 2 else struct.pack("!Q", length)
    return head + payload if mask is None else head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """XOR as in RFC 6455, 5.3, written another way than either parser does it."""
    length = len(payload)
    key = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")


def _message(rng: random.Random, wrong: float) -> Iterator[bytes]:
    """A message in one frame or several, with control frames between them."""
    if rng.random() < 0.2:
        yield _control(rng, wrong)
        return
    opcode = rng.choice((TEXT, TEXT, BINARY))
    payload = _text(rng, wrong) if opcode == TEXT else rng.randbytes(_size(rng))
    cuts = sorted(rng.randint(0, len(payload)) for _ in range(rng.choice((0, 0, 0, 1, 2, 5))))
    last = len(cuts)
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(payload)], strict=True)):
        yield _data(rng, wrong, opcode if number == 0 else CONTINUATION, payload[start:end], fin=number == last)
        if number < last and rng.random() < 0.3:
            yield _control(rng, wrong)


def _data(rng: random.Random, wrong: float, opcode: int, payload: bytes, *, fin: bool) -> bytes:
    mask = rng.randbytes(4)
    if rng.random() >= wrong:
        return frame(opcode, payload, fin=fin, mask=mask)
    change: dict[str, Any] = rng.choice(
        (
            {"mask": None},
            {"reserved": rng.randint(1, 7)},
            {"opcode": rng.randrange(16)},
            {"width": 2, "payload": payload[:65535]},
            {"width": 8},
            {"width": 8, "announced": rng.choice(GIANTS)},
            {"fin": not fin},
        )
    )
    return frame(**{"opcode": opcode, "payload": payload, "fin": fin, "mask": mask, **change})


def _control(rng: random.Random, wrong: float) -> bytes:
    opcode, payload = rng.choice((PING, PONG)), rng.randbytes(rng.choice((0, 1, 4, 125)))
    if rng.random() >= wrong:
        return frame(opcode, payload, mask=rng.randbytes(4))
    match rng.randrange(4):
        case 0:
            return frame(opcode, payload, fin=False)
        case 1:
            return frame(opcode, rng.randbytes(126))
        case 2:
            return _close(rng)
        case _:
            return frame(opcode, payload, reserved=rng.randint(1, 7))


def _close(rng: random.Random) -> bytes:
    code = struct.pack("!H", rng.choice(CLOSE_CODES))
    reason = rng.choice((b"", b"bye", "später ✓".encode(), b"x" * 123, rng.choice(BROKEN_UTF8)))
    payload = rng.choice((b"", b"\x03", code + reason, code + reason, struct.pack("!H", 1000) + reason))
    return frame(CLOSE, payload, mask=rng.randbytes(4))


def _text(rng: random.Random, wrong: float) -> bytes:
    size = _size(rng)
    if size > 300:
        return b"x" * size
    text = "".join(rng.choices(LETTERS, k=size // 2)).encode()
    if rng.random() >= wrong:
        return text
    place = rng.randint(0, len(text))
    return text[:place] + rng.choice(BROKEN_UTF8) + text[place:]


def _size(rng: random.Random) -> int:
    return rng.choices(SIZES, SIZE_WEIGHTS)[0]


def _mutated(rng: random.Random, data: bytes) -> bytes:
    """Flip, drop, double or add bytes, or end too early."""
    place = rng.randrange(len(data))
    match rng.randrange(5):
        case 0:
            return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]
        case 1:
            return data[:place] + data[place + 1 :]
        case 2:
            return data[:place] + data[place:] * 2
        case 3:
            return data[:place] + rng.randbytes(rng.randint(1, 20)) + data[place:]
        case _:
            return data[:place]


def _cut(rng: random.Random, data: bytes) -> Iterator[bytes]:
    """The pieces in which it arrives: all at once, a few, or (when short) byte by byte."""
    if len(data) < 200 and rng.random() < 0.1:
        places = range(1, len(data))
    else:
        places = sorted(rng.randint(0, len(data)) for _ in range(rng.choice((0, 1, 3, 6))))  # type: ignore[assignment]
    start = 0
    for place in [*places, len(data)]:
        yield data[start:place]
        start = place
