"""The official clients behind one small interface: python-socketio's, and the JavaScript one at the end of a pipe."""

import asyncio
import base64
import itertools
import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import socketio

WAIT_SECONDS = 10.0


class Refused(Exception):
    """The server answered CONNECT_ERROR. `args[0]` is the message (or None), `args[1]` the data."""


class Client(ABC):
    """One client with its own connection. Events heard wait in queues by (namespace, event)."""

    def __init__(self, transports: Sequence[str] | None) -> None:
        self.transports = transports
        self._heard: dict[tuple[str, str], asyncio.Queue[list[Any]]] = defaultdict(asyncio.Queue)

    @abstractmethod
    async def connect(
        self, url: str, auth: Any = None, *, namespaces: Sequence[str] = ("/",), reconnect: bool = False
    ) -> None:
        """Raises `Refused` when a namespace does."""

    @abstractmethod
    async def emit(self, event: str, *arguments: Any, namespace: str = "/") -> None: ...

    @abstractmethod
    async def call(self, event: str, *arguments: Any, namespace: str = "/") -> list[Any]:
        """All arguments of the acknowledgement."""

    @abstractmethod
    async def transport(self) -> str: ...

    @abstractmethod
    async def mute(self) -> None:
        """Answer no ping and send nothing from now on."""

    @abstractmethod
    async def drop(self) -> None:
        """Cut a WebSocket without a word."""

    @abstractmethod
    async def leave(self, namespace: str = "/") -> None:
        """Disconnect from one namespace; from the last one ends the connection."""

    @abstractmethod
    async def close(self) -> None: ...

    def hear(self, namespace: str, event: str, arguments: list[Any]) -> None:
        self._heard[namespace, event].put_nowait(arguments)

    async def heard(self, event: str, namespace: str = "/") -> list[Any]:
        """The arguments of the next such event."""
        return await asyncio.wait_for(self._heard[namespace, event].get(), WAIT_SECONDS)

    def unheard(self, event: str, namespace: str = "/") -> int:
        """How many such events came that nobody asked for."""
        return self._heard[namespace, event].qsize()

    async def ended(self) -> str:
        """Why it was disconnected, without the `io` that the JavaScript client says and the Python client does not."""
        return str((await self.heard("disconnect"))[0]).removeprefix("io ")

    async def sid(self) -> str:
        return str((await self.call("whoami"))[0])


class PythonClient(Client):
    """`socketio.AsyncClient`."""

    def __init__(self, transports: Sequence[str] | None) -> None:
        super().__init__(transports)
        self._sio = socketio.AsyncClient(reconnection=False)
        self._refusals: list[Any] = []

    async def connect(
        self, url: str, auth: Any = None, *, namespaces: Sequence[str] = ("/",), reconnect: bool = False
    ) -> None:
        sio = self._sio = socketio.AsyncClient(
            reconnection=reconnect, reconnection_delay=0.01, randomization_factor=0.0
        )
        for name in namespaces:
            self._listen(name)
        connecting = asyncio.create_task(
            sio.connect(
                url, auth=auth, transports=self.transports, namespaces=list(namespaces), wait_timeout=WAIT_SECONDS
            )
        )
        try:
            while not connecting.done() and not self._refusals:  # noqa: ASYNC110  # the client has no event for it
                await asyncio.sleep(0.002)
            await self._ending(connecting)
        except socketio.exceptions.ConnectionError:
            refusal = self._refusals[0] if self._refusals else None
            if isinstance(refusal, dict):
                raise Refused(refusal.get("message"), refusal.get("data")) from None
            raise Refused(refusal, None) from None

    def _listen(self, namespace: str) -> None:
        self._sio.on("*", lambda event, *args: self.hear(namespace, event, list(args)), namespace=namespace)
        self._sio.on("disconnect", lambda reason: self.hear(namespace, "disconnect", [reason]), namespace=namespace)
        self._sio.on("connect", lambda: self.hear(namespace, "connect", []), namespace=namespace)
        self._sio.on("connect_error", lambda *data: self._refusals.append(data[0] if data else None), namespace)
        self._sio.on("ask", lambda *args: self._answer(namespace, args), namespace=namespace)

    def _answer(self, namespace: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        self.hear(namespace, "ask", list(arguments))
        return arguments[::-1]

    async def emit(self, event: str, *arguments: Any, namespace: str = "/") -> None:
        await self._sio.emit(event, arguments, namespace=namespace)

    async def call(self, event: str, *arguments: Any, namespace: str = "/") -> list[Any]:
        answered: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        await self._sio.emit(
            event, arguments, namespace=namespace, callback=lambda *answer: answered.set_result(list(answer))
        )
        return await asyncio.wait_for(answered, WAIT_SECONDS)

    async def transport(self) -> str:
        return str(self._sio.transport())

    async def mute(self) -> None:
        async def nothing(packet: Any) -> None: ...

        self._sio.eio._send_packet = nothing

    async def drop(self) -> None:
        self._sio.eio.ws._response.close()

    async def leave(self, namespace: str = "/") -> None:
        await self._ending(self._sio.disconnect())

    async def close(self) -> None:
        if self._sio.connected or self._sio._reconnect_task is not None:
            await self._ending(self._sio.shutdown())

    async def _ending(self, goodbye: Awaitable[None]) -> None:
        """A polling client waits for its last request, which a stock server keeps until a ping is due."""
        eio, ending = self._sio.eio, asyncio.ensure_future(goodbye)
        async with asyncio.timeout(WAIT_SECONDS):
            while eio.write_loop_task is not None and not ending.done():  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.002)
            await asyncio.wait({ending}, timeout=0.1)
            if not ending.done() and eio.http is not None:
                await eio.http.close()
            await ending


class Bridge:
    """A Node process that holds JavaScript clients (`bridge.mjs`)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._clients: dict[int, Client] = {}

    def add(self, client: Client) -> int:
        number = next(self._numbers)
        self._clients[number] = client
        return number

    async def request(self, operation: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        line = json.dumps({"id": number, "operation": operation, **parameters})
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()
        return await asyncio.wait_for(answer, WAIT_SECONDS)

    async def listen(self) -> None:
        """Hand out answers and events until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "event" in told:
                self._clients[told["client"]].hear(told["namespace"], told["event"], unpacked(told["args"]))
                continue
            answer = self._answers.pop(told["id"])
            if answer.done():
                continue
            if "error" in told:
                answer.set_exception(AssertionError(told["error"]))
            else:
                answer.set_result(unpacked(told["answer"]))


class NodeClient(Client):
    """`socket.io-client` of the web client."""

    def __init__(self, bridge: Bridge, transports: Sequence[str] | None) -> None:
        super().__init__(transports)
        self._bridge = bridge
        self._number = bridge.add(self)

    async def connect(
        self, url: str, auth: Any = None, *, namespaces: Sequence[str] = ("/",), reconnect: bool = False
    ) -> None:
        options: dict[str, Any] = {"reconnection": reconnect}
        if self.transports is not None:
            options["transports"] = list(self.transports)
        answers = await self._ask("connect", url=url, auth=auth, namespaces=list(namespaces), options=options)
        for answer in answers:
            if "refused" in answer:
                raise Refused(answer["refused"].get("message"), answer["refused"].get("data"))

    async def emit(self, event: str, *arguments: Any, namespace: str = "/") -> None:
        await self._ask("emit", event=event, args=packed(list(arguments)), namespace=namespace)

    async def call(self, event: str, *arguments: Any, namespace: str = "/") -> list[Any]:
        answer = await self._ask("call", event=event, args=packed(list(arguments)), namespace=namespace)
        return list(answer)

    async def transport(self) -> str:
        return str(await self._ask("transport"))

    async def mute(self) -> None:
        await self._ask("mute")

    async def drop(self) -> None:
        await self._ask("drop")

    async def leave(self, namespace: str = "/") -> None:
        await self._ask("leave", namespace=namespace)

    async def close(self) -> None:
        await self._ask("close")

    async def _ask(self, operation: str, **parameters: Any) -> Any:
        return await self._bridge.request(operation, client=self._number, **parameters)


@asynccontextmanager
async def open_bridge(library: Path) -> AsyncIterator[Bridge]:
    script = Path(__file__).with_name("bridge.mjs")
    process = await asyncio.create_subprocess_exec(
        "node",
        str(script),
        str(library),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=4 * 1024 * 1024,
    )
    bridge = Bridge(process)
    listening = asyncio.create_task(bridge.listen())
    try:
        yield bridge
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), WAIT_SECONDS)
        await listening


def packed(value: Any) -> Any:
    """JSON for what may hold bytes."""
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [packed(one) for one in value]
    if isinstance(value, dict):
        return {name: packed(one) for name, one in value.items()}
    return value


def unpacked(value: Any) -> Any:
    """The other way."""
    if isinstance(value, list):
        return [unpacked(one) for one in value]
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {name: unpacked(one) for name, one in value.items()}
    return value
