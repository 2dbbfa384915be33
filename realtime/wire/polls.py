"""What waits for a client that polls: a bounded queue, and the one request that may wait for it.

Payloads are Engine.IO 4's: packets joined by U+001E, binary ones as `b` and base64.
"""

import asyncio
import base64
import binascii
from collections import deque
from collections.abc import Awaitable, Sequence

from realtime.wire.frames import MAX_FRAME_BYTES, Garbage

SEPARATOR = "\x1e"
MAX_WAITING_PACKETS = 256
MAX_WAITING_CHARACTERS = 1_000_000
MAX_PACKETS_AT_ONCE = 16  # in one body, either way: the official Python client gives up on more (engineio 4.15)
NOOP = "6"


class Polls:
    """The queue of one client."""

    def __init__(self) -> None:
        self._poll: asyncio.Future[None] | None = None  # the request that waits
        self._waiting: deque[str | bytes] = deque()
        self._characters = 0

    def offer(self, packet: str | bytes) -> bool:
        """Queue a packet; False when too much waits already."""
        if len(self._waiting) >= MAX_WAITING_PACKETS or self._characters + len(packet) > MAX_WAITING_CHARACTERS:
            return False
        self.push(packet)
        return True

    def push(self, packet: str | bytes) -> None:
        """Queue a packet, whatever waits."""
        self._waiting.append(packet)
        self._characters += len(packet)
        self._wake()

    def take(self, at_most: int | None = None) -> list[str | bytes]:
        """What waits, the oldest first; everything unless told otherwise."""
        count = len(self._waiting) if at_most is None else min(at_most, len(self._waiting))
        packets = [self._waiting.popleft() for _ in range(count)]
        self._characters -= sum(map(len, packets))
        return packets

    async def poll(self, seconds: float, departure: Awaitable[object]) -> list[str | bytes]:
        """Wait until there is something; an empty list after so many seconds.

        `departure` ends when the client of this request is gone: then nothing is taken, for nobody would get it. A
        client that asks again has given up its request before, which is answered with nothing.
        """
        self._wake()
        mine = self._poll = asyncio.get_running_loop().create_future()
        if self._waiting:
            self._wake()
        left = asyncio.ensure_future(departure)
        try:
            await asyncio.wait({mine, left}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            gone = left.done() or self._poll is not mine
        finally:
            left.cancel()
            if self._poll is mine:
                self._poll = None
        return [] if gone else self.take(MAX_PACKETS_AT_ONCE)

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)


def encode_payload(packets: Sequence[str | bytes]) -> bytes:
    """The body of an answer."""
    return SEPARATOR.join(
        packet if isinstance(packet, str) else "b" + base64.b64encode(packet).decode() for packet in packets
    ).encode()


def decode_payload(body: bytes) -> list[str | bytes]:
    """The packets of a request; raises `Garbage`."""
    try:
        texts = body.decode().split(SEPARATOR)
        if len(body) > MAX_FRAME_BYTES or len(texts) > MAX_PACKETS_AT_ONCE:
            raise Garbage("payload too large")
        return [base64.b64decode(text[1:], validate=True) if text[:1] == "b" else text for text in texts]
    except (UnicodeDecodeError, binascii.Error, ValueError):
        raise Garbage("payload") from None
