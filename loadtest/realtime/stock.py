"""The other Python way, for comparison: python-socketio as its manual shows it, on uvicorn, with its Redis manager.

python -m loadtest.realtime.stock PORT REDIS_URL
"""

import sys
from typing import Any

import socketio
import uvicorn

ROOM = "room"


def app(redis_url: str) -> Any:
    """Everybody is in one room; whatever is said there is sent to all."""
    server = socketio.AsyncServer(async_mode="asgi", client_manager=socketio.AsyncRedisManager(redis_url))

    async def connect(sid: str, _environ: dict[str, Any], _auth: object = None) -> None:
        await server.enter_room(sid, ROOM)

    async def chat(_sid: str, entry: dict[str, Any]) -> None:
        await server.emit("chat", entry, room=ROOM)

    server.on("connect", connect)
    server.on("chat", chat)
    return socketio.ASGIApp(server)


def main() -> None:
    config = uvicorn.Config(
        app(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_level="warning",
        backlog=4096,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
