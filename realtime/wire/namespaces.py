"""python-socketio's book of who is in which namespace and room, with fan-out by `Audience`.

What the library does otherwise: a task for every recipient, a dictionary of its own for every client, and a look at
every room when somebody leaves (python-socketio 5.18, `async_manager.py`, `base_manager.py`).
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import socketio
from engineio import packet as engine_packet
from socketio import packet

from realtime.wire.fanout import Audience, Frame, frame_of
from realtime.wire.socket import EngineSocket

AT_ONCE = 512


class Namespaces(socketio.AsyncManager):  # type: ignore[misc]  # socketio has no types
    """A client's personal room is its id, known from the namespace itself and kept nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self._audiences: dict[tuple[str, Any], Audience] = {}
        self._rooms_of: dict[tuple[str, str], set[Any]] = {}

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        if sid == room:
            return
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        socket = self._socket(sid, namespace)
        if room is not None and socket is not None:
            self._rooms_of.setdefault((namespace, sid), set()).add(room)
            self._audiences.setdefault((namespace, room), Audience(lambda _: None)).add(socket)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        socket = self._socket(sid, namespace)
        super().basic_leave_room(sid, namespace, room)
        self._rooms_of.get((namespace, sid), set()).discard(room)
        audience = self._audiences.get((namespace, room))
        if audience is not None and socket is not None:
            audience.discard(socket)
            if not len(audience):
                del self._audiences[namespace, room]

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        for room in tuple(self._rooms_of.pop((namespace, sid), ())):
            self.basic_leave_room(sid, namespace, room)
        super().basic_leave_room(sid, namespace, None)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)
                if not pending[namespace]:
                    del pending[namespace]

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        return [sid, *self._rooms_of.get((namespace, sid), ())]

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        known = self.rooms.get(namespace, {})
        several = room if isinstance(room, (list, tuple, set)) else [room]
        found: dict[str, str] = {}
        for one in several:
            if one in known:
                found.update(known[one]._fwdm)
            elif (eio_sid := known.get(None, {}).get(one)) is not None:
                found[one] = eio_sid
        yield from found.items()

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """Encode once, frame once, and write to everybody."""
        room = to or room
        if callback is not None:
            await super().emit(event, data, namespace, room=room, skip_sid=skip_sid, callback=callback, **kwargs)
            return
        arguments = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        frame = self._frame(namespace, [event, *arguments])
        skipped = skip_sid if isinstance(skip_sid, (list, tuple, set)) else [skip_sid]
        audience = self._audiences.get((namespace, room)) if _is_name(room) else None
        if audience is not None and skipped == [None]:
            audience.send_frame(frame)
            await audience.settled()
            return
        if audience is not None:
            await audience.settled()  # what was said before comes before
        await self._offer(frame, (eio for sid, eio in self.get_participants(namespace, room) if sid not in skipped))

    async def _offer(self, frame: Frame, recipients: Iterable[str]) -> None:
        for number, eio_sid in enumerate(recipients, 1):
            socket = self.server.eio.sockets.get(eio_sid)
            if socket is not None:
                socket.offer_frame(frame)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _frame(self, namespace: str, data: list[Any]) -> Frame:
        encoded = self.server.packet_class(packet.EVENT, namespace=namespace, data=data).encode()
        parts = encoded if isinstance(encoded, list) else [encoded]
        return frame_of(*(engine_packet.Packet(engine_packet.MESSAGE, part).encode() for part in parts))

    def _socket(self, sid: str, namespace: str) -> EngineSocket | None:
        socket: EngineSocket | None = self.server.eio.sockets.get(self.eio_sid_from_sid(sid, namespace))
        return socket


def _is_name(room: Any) -> bool:
    return room is not None and not isinstance(room, (list, tuple, set))
