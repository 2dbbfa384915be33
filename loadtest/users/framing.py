"""RFC 6455 as far as a load client of ours needs it: the upgrade, whole unmasked frames in, masked text out. Pure."""

from collections.abc import Iterator
from os import urandom

TEXT, CLOSE, PING = 0x1, 0x8, 0x9
LARGEST_BYTES = 4 << 20  # a join answer with a thousand entries is 300 KB


class BrokenFrame(Exception):
    """What arrived is not what a server of ours sends."""


def upgrade(host: str, address: str) -> bytes:
    """The request that opens a connection for a client who is at `address` behind our proxy."""
    return (
        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"X-Forwarded-For: {address}\r\n\r\n"
    ).encode()


def masked(payload: bytes, key: bytes | None = None) -> bytes:
    """A client's text frame, up to 64 KB."""
    key = key or urandom(4)
    size = len(payload)
    head = bytes((0x80 | TEXT, 0x80 | size)) if size < 126 else bytes((0x80 | TEXT, 0xFE)) + size.to_bytes(2, "big")
    mask = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def frames(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take every whole frame out of the buffer: (opcode, payload). What is not whole yet stays."""
    while (size := _size(buffer)) is not None:
        start, end = size
        if len(buffer) < end:
            return
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[start:end])
        del buffer[:end]
        yield opcode, payload


def _size(buffer: bytearray) -> tuple[int, int] | None:
    """Where the payload of the first frame begins and ends; None while its head is not whole."""
    if len(buffer) < 2:
        return None
    if buffer[0] & 0xF0 != 0x80 or buffer[1] & 0x80:
        raise BrokenFrame(f"a fragment, an extension or a mask: {buffer[:2].hex()}")
    short = buffer[1]
    start = 2 if short < 126 else 4 if short == 126 else 10
    if len(buffer) < start:
        return None
    size = short if short < 126 else int.from_bytes(buffer[2:start], "big")
    if size > LARGEST_BYTES:
        raise BrokenFrame(f"a frame of {size} bytes")
    return start, start + size
