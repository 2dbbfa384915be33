"""A small asyncio client of a Footlight room, used by tests and benchmarks: it loses nothing and notices every gap.

For each room it keeps epoch and offset, ignores what it has, and joins again with its position when an offset jumps,
after `room:reset` and `room:lagged`, and after a reconnect (with jitter, to the next address). What comes while a
join is on its way waits for the answer. One task runs the connection.
"""

import asyncio
import contextlib
import itertools
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from infra.clock import new_id
from infra.errors import FootlightError, Unavailable
from realtime.fold import Seen

FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 2.0
ANSWER_SECONDS = 10.0
OPEN_SECONDS = 3.0
PRIVATE = ("room:you", "room:refused", "room:removed", "chat:held", "mod:acted", "mod:held")
KEPT_AHEAD = 1000  # entries that wait for a join; of more the newest, and the hole before them asks for another join


class Refused(FootlightError):
    """The server said no; `code` is the server's."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"], **error["details"])
        self.code = error["code"]


@dataclass
class View:
    """A room as this client sees it: `entries` as they came, `seen` what is left of them. `resets` counts new
    beginnings, `rejoins` recoveries."""

    stream_id: str
    epoch: str | None = None
    offset: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    desk: bool = False
    viewers: int = 0
    status: str = ""
    title: str = ""
    resets: int = 0
    rejoins: int = 0
    standing: bool = False  # joined on this connection
    answer: dict[str, Any] = field(default_factory=dict)
    ahead: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_AHEAD))

    def hear(self, entry: dict[str, Any]) -> bool:
        """Take in an entry, or keep it until the room is joined; True when it must be joined again."""
        if self.standing and self.take(entry):
            return False
        lost = self.standing
        self.standing = False
        self.ahead.append(entry)
        return lost

    def lose(self, *, log: bool = False) -> None:
        """Something was missed, or with `log` the log it came from: only a join asked for after this mends it."""
        self.standing = False
        if log:
            self.ahead.clear()

    def joined(self, body: dict[str, Any]) -> bool:
        """Take in the answer to a join; True when something is missing still and it must be joined again."""
        if body["recovered"]:
            self.rejoins += 1
        else:
            self.resets += self.epoch is not None
            self.entries, self.offset = [], body["offset"] - len(body["entries"])
            self.seen.first, self.seen.lines = self.offset + 1, {}
        for entry in body["entries"]:
            self.take(entry)
        self.seen.standing(body)
        self.epoch, self.offset = body["epoch"], max(self.offset, body["offset"])
        self.viewers, self.status, self.title = body["viewers"], body["stream"]["status"], body["stream"]["title"]
        self.answer, self.standing = body, True
        waiting = list(self.ahead)
        self.ahead.clear()
        again = False
        for entry in waiting:
            again = self.hear(entry) or again
        return again

    def take(self, entry: dict[str, Any]) -> bool:
        """Add an entry; False when one before it is missing."""
        if entry["offset"] <= self.offset:
            return True
        if entry["offset"] != self.offset + 1:
            return False
        self.offset = entry["offset"]
        self.entries.append(entry)
        self.seen.take([entry])
        return True


class RoomClient:
    """Use `open_client`. Methods raise `Refused` for what the server refuses, `Unavailable` when it is not there."""

    def __init__(self, urls: Sequence[str], auth: dict[str, str], headers: dict[str, str]) -> None:
        self.views: dict[str, View] = {}
        self.closings: list[dict[str, Any]] = []
        self.told: deque[tuple[str, Any]] = deque(maxlen=KEPT_AHEAD)  # events for this user or the desk
        self.on_frame: Callable[[str], object] = lambda frame: None  # is given every frame, as it came
        self.connects = 0
        self.paused = asyncio.Event()  # cleared: do not reconnect
        self.paused.set()
        self._urls = itertools.cycle(urls)
        self._auth = auth
        self._headers = headers
        self._socket: ClientConnection | None = None
        self._acks = itertools.count()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused: dict[str, Any] | None = None

    async def join(self, stream_id: str, *, desk: bool = False) -> View:
        """Enter a room and stay in it until `leave`; with `desk` as a moderator at work."""
        view = self.views.setdefault(stream_id, View(stream_id, desk=desk))
        await self._join(view)
        return view

    async def leave(self, stream_id: str) -> None:
        self.views.pop(stream_id, None)
        await self.ask("room:leave", {"stream_id": stream_id})

    async def send(self, stream_id: str, text: str, message_id: str | None = None) -> int:
        """Say something; the offset it got."""
        body = {"stream_id": stream_id, "id": message_id or new_id(), "text": text}
        return int((await self.ask("chat:send", body))["offset"])

    async def ask(self, event: str, body: Any) -> dict[str, Any]:
        """Send any event and return its acknowledgement."""
        number = next(self._acks)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self.write(f"42{number}" + msgspec.json.encode([event, body]).decode())
            async with asyncio.timeout(ANSWER_SECONDS):
                answered: dict[str, Any] = await answer
        except TimeoutError:
            raise Unavailable from None
        finally:
            self._waiting.pop(number, None)
        if not answered["ok"]:
            raise Refused(answered["error"])
        return answered

    async def write(self, frame: str | bytes) -> None:
        """Send a raw frame."""
        if self._socket is None:
            raise Unavailable
        try:
            await self._socket.send(frame)
        except WebSocketException:
            raise Unavailable from None

    async def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        """Wait until something this client hears makes the condition true."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def drop(self) -> None:
        """Lose the connection without a word, as a phone in a tunnel does; it comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()
            await self._socket.wait_closed()

    @property
    def connected(self) -> bool:
        return self._socket is not None

    async def run(self) -> None:
        failures = 0
        while self.refused is None and (not self.closings or self.closings[-1]["reconnect"]):
            await self.paused.wait()
            try:
                async with connect(
                    f"{next(self._urls)}/socket.io/?EIO=4&transport=websocket",
                    additional_headers=self._headers,
                    compression=None,
                    proxy=None,
                    open_timeout=OPEN_SECONDS,
                ) as socket:
                    await self._session(socket)
                    failures = 0
            except (WebSocketException, OSError):
                failures += 1
            longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**failures)
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  # jitter

    async def _session(self, socket: ClientConnection) -> None:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await socket.recv()
            await socket.send("40" + msgspec.json.encode(self._auth).decode())
            async for frame in socket:
                await self._hear(socket, str(frame))
        finally:
            self._socket = None
            for view in self.views.values():
                view.lose(log=True)  # nothing more comes of what this connection had
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Unavailable())
            await self._tell()

    async def _hear(self, socket: ClientConnection, frame: str) -> None:
        self.on_frame(frame)
        if frame == "2":
            await socket.send("3")
            return
        if frame.startswith("40"):
            self._socket = socket
            self.connects += 1
            for view in self.views.values():
                self._spawn(self._rejoin(view))
        elif frame.startswith("44"):
            self.refused = msgspec.json.decode(frame[2:])
            await socket.close()
        elif frame.startswith("43"):
            digits = frame[2 : frame.index("[")]
            answer = self._waiting.get(int(digits))
            if answer is not None and not answer.done():
                body = msgspec.json.decode(frame[2 + len(digits) :])[0]
                self._take_join(body)  # before the next frame is read: entries that follow build on it
                answer.set_result(body)
        elif frame.startswith("42"):
            self._event(*msgspec.json.decode(frame[2:]))
        await self._tell()

    def _event(self, name: str, body: Any) -> None:
        if name == "chat":
            for entry in body:
                self._entry(entry)
        elif name == "session:closing":
            self.closings.append(body)
            if body["delay_ms"] or body["code"] == "node.draining":
                self._spawn(self._move(body["delay_ms"] / 1000))
        elif name == "studio:video":
            self.told.append((name, body))
        elif view := self.views.get(body["stream_id"]):
            self._room_event(view, name, body)

    def _room_event(self, view: View, name: str, body: Any) -> None:
        if name in PRIVATE:
            self.told.append((name, body))
        elif name == "room:viewers":
            view.viewers = body["viewers"]
        elif name == "room:status":
            view.status, view.title = body["status"], body["title"]
        elif name in {"room:reset", "room:lagged"}:
            view.lose(log=name == "room:reset")
            self._spawn(self._rejoin(view))

    def _entry(self, entry: dict[str, Any]) -> None:
        view = self.views.get(entry["stream_id"])
        if view is not None and view.hear(entry):
            self._spawn(self._rejoin(view))

    def _take_join(self, body: dict[str, Any]) -> None:
        if "recovered" not in body or (view := self.views.get(body["stream"]["id"])) is None:
            return
        if view.joined(body):
            self._spawn(self._rejoin(view))

    async def _join(self, view: View) -> None:
        body: dict[str, Any] = {"stream_id": view.stream_id, "desk": view.desk}
        if view.epoch is not None:
            body |= {"epoch": view.epoch, "offset": view.offset}
        await self.ask("room:join", body)

    async def _rejoin(self, view: View) -> None:
        for attempt in range(20):
            with contextlib.suppress(Unavailable, Refused):
                await self._join(view)
                return
            if self._socket is None:
                return  # the next connection joins again
            await asyncio.sleep(random.uniform(0.5, 1) * min(2.0, 0.1 * 2**attempt))  # noqa: S311  # jitter

    async def _move(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._socket is not None:
            await self._socket.close()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def open_client(
    urls: Sequence[str],
    *,
    token: str | None = None,
    device: str | None = None,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[RoomClient]:
    """A client of any of the nodes (`ws://host:port`); entering waits until it is connected or refused."""
    auth = {name: value for name, value in (("token", token), ("device", device)) if value is not None}
    client = RoomClient(urls, auth, headers or {})
    running = asyncio.create_task(client.run())
    try:
        await client.until(lambda: client.connected or client.refused)
        yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
