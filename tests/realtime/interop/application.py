"""An application written with nothing but python-socketio's public server API, so that any such server can run it."""

import asyncio
from collections.abc import Callable
from typing import Any

import socketio
from socketio.exceptions import ConnectionRefusedError as SocketRefused

PASSWORD = "sesame"


class Diary:
    """What happened on the server: (what, sid, detail) in order."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, Any]] = []

    def note(self, what: str, sid: str, detail: Any = None) -> None:
        self.entries.append((what, sid, detail))

    def of(self, what: str, sid: str) -> list[Any]:
        return [detail for kind, who, detail in self.entries if (kind, who) == (what, sid)]

    def somewhere(self, what: str, wanted: Callable[[Any], bool]) -> list[Any]:
        return [detail for kind, _, detail in self.entries if kind == what and wanted(detail)]


def build(sio: socketio.AsyncServer, diary: Diary) -> None:
    """Register every handler; `diary` keeps what they saw."""
    _build_doors(sio, diary)
    _build_events(sio, diary)
    _build_rooms(sio)


def _build_doors(sio: socketio.AsyncServer, diary: Diary) -> None:
    @sio.event  # type: ignore[untyped-decorator]  # socketio has no types
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        auth = auth or {}
        if "refuse" in auth:
            raise SocketRefused("not today", {"code": auth["refuse"]})
        await sio.save_session(sid, {"name": auth.get("name", "guest"), "asked": 0})
        diary.note("connect", sid, (auth.get("name"), environ["QUERY_STRING"]))
        for number in range(auth.get("greetings", 0)):
            await sio.emit("greeting", number, to=sid)

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def disconnect(sid: str, reason: str) -> None:
        session = await sio.get_session(sid)
        diary.note("disconnect", sid, reason)
        diary.note("left", sid, session["name"])

    @sio.on("connect", namespace="/admin")  # type: ignore[untyped-decorator]  # as above
    async def connect_admin(sid: str, environ: dict[str, Any], auth: Any) -> bool | None:
        if not auth or "password" not in auth:
            return False
        if auth["password"] != PASSWORD:
            raise SocketRefused("wrong password", {"tries": 2})
        await sio.save_session(sid, {"name": "admin"}, namespace="/admin")
        return None

    @sio.on("disconnect", namespace="/admin")  # type: ignore[untyped-decorator]  # as above
    async def disconnect_admin(sid: str, reason: str) -> None:
        diary.note("disconnect admin", sid, reason)

    @sio.on("whoami", namespace="/admin")  # type: ignore[untyped-decorator]  # as above
    async def whoami_admin(sid: str) -> tuple[str, str]:
        return sid, (await sio.get_session(sid, namespace="/admin"))["name"]


def _build_events(sio: socketio.AsyncServer, diary: Diary) -> None:
    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def echo(sid: str, *arguments: Any) -> tuple[Any, ...]:
        return arguments

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def single(sid: str, argument: Any) -> Any:
        return argument

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def nothing(sid: str) -> None:
        diary.note("nothing", sid)

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def whoami(sid: str) -> tuple[str, str, int]:
        async with sio.session(sid) as session:
            session["asked"] += 1
        session = await sio.get_session(sid)
        return sid, session["name"], session["asked"]

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def number(sid: str, value: int) -> None:
        await asyncio.sleep(0.002 * (value % 3 == 0))  # so that handlers running side by side would change places
        diary.note("number", sid, value)

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def keep(sid: str, *arguments: Any) -> None:
        diary.note("keep", sid, arguments)

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def back(sid: str, *arguments: Any) -> None:
        await sio.emit("back", arguments, to=sid)

    @sio.on("*")  # type: ignore[untyped-decorator]  # as above
    async def anything(event: str, sid: str, *arguments: Any) -> tuple[str, int]:
        return event, len(arguments)


def _build_rooms(sio: socketio.AsyncServer) -> None:
    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def join(sid: str, room: str) -> list[str]:
        await sio.enter_room(sid, room)
        return sorted(set(sio.rooms(sid)) - {sid})

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def leave(sid: str, room: str) -> list[str]:
        await sio.leave_room(sid, room)
        return sorted(set(sio.rooms(sid)) - {sid})

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def say(sid: str, room: str, text: str) -> None:
        await sio.emit("said", text, room=room, skip_sid=sid)

    @sio.event  # type: ignore[untyped-decorator]  # as above
    async def kick_me(sid: str) -> None:
        await sio.disconnect(sid)
