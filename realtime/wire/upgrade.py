"""From polling to a WebSocket, as Engine.IO 4 does it: `2probe`, `3probe`, and `5` once the last poll has ended.

Until then packets wait in the polling queue; they are the first on the WebSocket, so nothing is lost and nothing comes
twice.
"""

import asyncio

from realtime.wire.connection import Connection
from realtime.wire.polls import NOOP
from realtime.wire.socket import EngineSocket
from realtime.wire.websocket import PROTOCOL_ERROR, message_frame

UPGRADE_SECONDS = 5.0  # packets wait in the polling queue all the while


class Upgrade:
    """Hears a connection until its session moves there (see `realtime.wire.connection.Receiver`)."""

    def __init__(self, socket: EngineSocket, connection: Connection) -> None:
        self._socket = socket
        self._connection = connection
        self._probed = False
        self._deadline = asyncio.get_running_loop().call_later(UPGRADE_SECONDS, connection.close, PROTOCOL_ERROR)

    def heard(self, message: str | bytes) -> None:
        polls = self._socket.polls
        if message == "2probe" and polls is not None and not self._socket.upgrading:
            self._probed = self._socket.upgrading = True
            self._connection.write(message_frame("3probe"))
            polls.push(NOOP)  # ends the poll that waits
        elif message == "5" and self._probed and polls is not None and not self._socket.finishing:
            self._deadline.cancel()
            self._connection.receiver = self._socket
            self._socket.attach(self._connection)
        else:
            self._connection.close(PROTOCOL_ERROR)

    def pinged(self) -> None:
        self._connection.close(PROTOCOL_ERROR)

    def paused(self) -> None: ...

    def resumed(self) -> None: ...

    def lost(self, code: int) -> None:
        """The client gave up, and goes on polling."""
        self._deadline.cancel()
        if self._probed:
            self._socket.upgrading = False
