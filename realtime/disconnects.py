"""Why the server ends a connection: one table for the server, the documents and every client."""

from dataclasses import dataclass

from realtime.events import SessionClosing


@dataclass(frozen=True, slots=True)
class Disconnect:
    """`reconnect` says whether coming back makes sense."""

    code: str
    message: str
    reconnect: bool

    def closing(self, delay_ms: int = 0) -> SessionClosing:
        return SessionClosing(code=self.code, message=self.message, reconnect=self.reconnect, delay_ms=delay_ms)


NODE_DRAINING = Disconnect("node.draining", "This server is about to restart. Move to another one.", True)
TOKEN_EXPIRED = Disconnect("auth.token_expired", "Your sign-in must be refreshed.", True)
TOO_SLOW = Disconnect("socket.too_slow", "Your connection cannot keep up.", True)
SESSION_OVER = Disconnect("auth.session_over", "You were signed out.", False)
MISBEHAVED = Disconnect("socket.misbehaved", "This client does not follow the protocol.", False)

DISCONNECTS = (NODE_DRAINING, TOKEN_EXPIRED, TOO_SLOW, SESSION_OVER, MISBEHAVED)
