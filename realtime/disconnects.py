"""Why the server ends a connection: one table for the server, the documents and every client.

`number` is the WebSocket's close code, for a client that did not read the last word. It tells what to do by its range
alone, so that an old client does right with a code it has never heard of: 4000 to 4499 come back, 4500 to 4999 do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from realtime.events import RoomPosition, SessionClosing

COME_BACK = range(4000, 4500)
STAY_AWAY = range(4500, 5000)


@dataclass(frozen=True, slots=True)
class Disconnect:
    """`reconnect` says whether coming back makes sense; it is what the range of `number` says."""

    code: str
    number: int
    message: str
    reconnect: bool

    def closing(self, delay_ms: int = 0, positions: Mapping[str, RoomPosition] | None = None) -> SessionClosing:
        """The last word; `positions` are where this node is in the client's rooms."""
        return SessionClosing(
            code=self.code,
            number=self.number,
            message=self.message,
            reconnect=self.reconnect,
            delay_ms=delay_ms,
            positions=dict(positions or {}),
        )


NODE_DRAINING = Disconnect("node.draining", 4000, "This server is about to restart. Move to another one.", True)
TOKEN_EXPIRED = Disconnect("auth.token_expired", 4001, "Your sign-in must be refreshed.", True)
TOO_SLOW = Disconnect("socket.too_slow", 4002, "Your connection cannot keep up.", True)
SESSION_OVER = Disconnect("auth.session_over", 4500, "You were signed out.", False)
MISBEHAVED = Disconnect("socket.misbehaved", 4501, "This client does not follow the protocol.", False)

DISCONNECTS = (NODE_DRAINING, TOKEN_EXPIRED, TOO_SLOW, SESSION_OVER, MISBEHAVED)
