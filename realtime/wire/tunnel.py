"""A WebSocket of a session that lives on another node: its bytes go there and back, and nobody here reads them.

Neither side is read while the other cannot take what came: at most one read and WAITING_BYTES wait in each direction.
When one side ends, the other is closed.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from realtime.errors import SessionUnknown
from realtime.wire.connection import LINGER_SECONDS, RESTART, Connection

DIAL_SECONDS = 5.0
SILENCE_SECONDS = 60.0  # without a byte of the other node, which pings every 25
MAX_HEAD_BYTES = 8 * 1024
WAITING_BYTES = 64 * 1024


class Tunnel(asyncio.Protocol):
    """The protocol of the connection to the other node, and what hears the client's (`connection.Receiver`)."""

    _node: asyncio.Transport  # from `connection_made` on

    def __init__(self, connection: Connection, ended: Callable[[], object]) -> None:
        self._connection = connection
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._head: bytearray | None = bytearray()
        self._answer: asyncio.Future[bytes] = self._loop.create_future()
        self._heard_node = True
        self._look: asyncio.TimerHandle | None = None

    async def begin(self, request: bytes) -> None:
        """Ask the other node with a request head, then join the two; raises `SessionUnknown` when it does not accept.

        `ended` is called once, when the client is gone; never when this raises.
        """
        self._node.write(request)
        first = await self._answer
        if not self._connection.hand_over(self, first):
            raise SessionUnknown  # the client is gone: nobody reads this
        self._look = self._loop.call_later(SILENCE_SECONDS, self._look_for_life)

    def _look_for_life(self) -> None:
        if not self._heard_node:
            self._connection.close(RESTART)
            return
        self._heard_node = False
        self._look = self._loop.call_later(SILENCE_SECONDS, self._look_for_life)

    # --- the other node

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._node = cast(asyncio.Transport, transport)
        self._node.set_write_buffer_limits(high=WAITING_BYTES)

    def data_received(self, data: bytes) -> None:
        self._heard_node = True
        if self._head is None:
            self._connection.write(data)
            return
        self._head += data
        head, end, first = bytes(self._head).partition(b"\r\n\r\n")
        if (end and not head.startswith(b"HTTP/1.1 101 ")) or len(head) > MAX_HEAD_BYTES:
            self._fail()
        elif end:
            self._head = None
            if not self._answer.done():
                self._answer.set_result(first)

    def _fail(self) -> None:
        if not self._answer.done():
            self._answer.set_exception(SessionUnknown())

    def pause_writing(self) -> None:
        self._connection.hold()

    def resume_writing(self) -> None:
        self._connection.release()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail()
        self._connection.close(RESTART)

    # --- the client

    def heard(self, message: str | bytes) -> None:
        self._node.write(cast(bytes, message))

    def pinged(self) -> None: ...

    def paused(self) -> None:
        if not self._node.is_closing():
            self._node.pause_reading()

    def resumed(self) -> None:
        if not self._node.is_closing():
            self._node.resume_reading()

    def lost(self, code: int) -> None:
        if self._look is not None:
            self._look.cancel()
        self._node.close()
        self._loop.call_later(LINGER_SECONDS, self._node.abort)
        self._ended()


async def open_tunnel(
    host: str, port: int, request: bytes, connection: Connection, ended: Callable[[], object]
) -> None:
    """Give the client's connection to the node at `host:port`; raises `SessionUnknown` when that does not take it."""
    node: asyncio.Transport | None = None
    try:
        async with asyncio.timeout(DIAL_SECONDS):
            node, tunnel = await asyncio.get_running_loop().create_connection(
                lambda: Tunnel(connection, ended), host, port
            )
            await tunnel.begin(request)
    except BaseException as failure:
        if node is not None:
            node.abort()
        if isinstance(failure, OSError):  # TimeoutError is one
            raise SessionUnknown from failure
        raise
