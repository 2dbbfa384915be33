"""uvicorn's HTTP protocol with the bounds it lacks: how large a request head may be and how long it may take.

httptools has no limit for headers and uvicorn no timeout before the first request, so one slow client a descriptor
could hold them all (uvicorn 0.54, `protocols/http/httptools_impl.py`). Nor does it bound what follows the last byte of
a chunked body: trailers are kept like headers, for as long as they come.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.errors import Invalid, TooLarge
from realtime.wire.connection import Connection
from realtime.wire.frames import MAX_FRAME_BYTES

MAX_HEAD_BYTES = 32 * 1024


class HeadTooLarge(TooLarge):
    code = "request.head_too_large"
    message = "The request line and headers are too large."


class NotHttp(Invalid):
    code = "request.not_http"
    message = "This is not a valid HTTP request."


class BoundedHttp(HttpToolsProtocol):
    """A connection whose request heads are bounded in size and time, and whose bodies carry nothing beside the body.

    A request that wants to become a WebSocket is handed over, with its connection, to `realtime.wire.connection`.
    """

    head_seconds = 10.0
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _head_complete = False
    _loose_bytes = 0  # since the last that was head or body: trailers, extensions of chunks

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._wait_for_head()  # a further request on a kept connection
        if self._head_timer is not None:
            self._head_bytes += len(data)
            # What follows the head in the same read is not counted against it: at most one read (256 KiB) is.
            if self._head_bytes > MAX_HEAD_BYTES and b"\r\n\r\n" not in data[: MAX_HEAD_BYTES + 4]:
                self._refuse(b"431 Request Header Fields Too Large", HeadTooLarge(max_bytes=MAX_HEAD_BYTES))
                return
        self._loose_bytes += len(data)
        super().data_received(data)
        # Counted read by read, for one trailer without end never becomes a header.
        if self._loose_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(b"431 Request Header Fields Too Large", HeadTooLarge(max_bytes=MAX_HEAD_BYTES))

    def _should_upgrade_to_ws(self) -> bool:
        return True

    def handle_websocket_upgrade(self) -> None:
        """Hand over the connection with the head as it is parsed, instead of having it parsed once more."""
        url = httptools.parse_url(self.url)
        # Pipelined behind a request that is being answered still, its answer would be written between our frames.
        if url.path is None or (self.cycle is not None and not self.cycle.response_complete):
            self._refuse(b"400 Bad Request", NotHttp())
            return
        self.connections.discard(self)
        self.scope.update(
            {"path": unquote(url.path.decode("ascii")), "raw_path": url.path, "query_string": url.query or b""}
        )
        connection = Connection(self.app, self.server_state, self.transport, MAX_FRAME_BYTES)
        self.transport.set_protocol(connection)
        connection.begin(dict(self.scope))

    def on_message_begin(self) -> None:
        self._head_complete, self._loose_bytes = False, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_complete:  # a trailer is nobody's header
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._loose_bytes = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._head_complete, self._loose_bytes = True, 0
        self._head_done()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._refuse(b"400 Bad Request", NotHttp())

    def _wait_for_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _head_done(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: bytes, error: Invalid | TooLarge) -> None:
        self._head_done()
        body = msgspec.json.encode({"error": error.as_dict()})
        self.transport.write(
            b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "
            + str(len(body)).encode() + b"\r\n\r\n" + body
        )  # fmt: skip
        self.transport.close()
