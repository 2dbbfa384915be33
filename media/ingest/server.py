"""The RTMP port: accepts connections, runs the machine of `rtmp.py` on each, ends them on time.

One port for all streams. Nothing is read faster than it is taken: while a publisher's tag waits for ffmpeg, its socket
waits too. Whoever has not published yet is a stranger, and strangers are few, for each address and altogether.
"""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from infra.errors import FootlightError
from infra.logs import get_logger
from media.errors import RtmpBroken
from media.ingest.flv import Tag
from media.ingest.rtmp import Goodbye, Metadata, Phase, PublishAsked, RtmpSession

HANDSHAKE_SECONDS = 5.0
PREPUBLISH_SECONDS = 10.0
IDLE_SECONDS = 15.0
SEND_SECONDS = 5.0
READ_BYTES = 64 << 10
MAX_STRANGERS = 256
MAX_STRANGERS_PER_ADDRESS = 16
LAST_WORDS_SECONDS = 1.0  # to read what we said before the connection is closed

log = get_logger(__name__)


class Taker(Protocol):
    """Where a publisher's media goes. Both may wait, and both may raise a `FootlightError` to end the publisher."""

    async def take(self, event: Tag | Metadata) -> None: ...

    async def gone(self, reason: str) -> None:
        """Called once, whatever ended the connection."""
        ...


class Line:
    """One connection, as its taker sees it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._work: asyncio.Task[str] | None = None
        self.parting: tuple[str, str] | None = None

    def runs(self, work: "asyncio.Task[str]") -> None:
        self._work = work

    def hang_up(self, reason: str, sentence: str) -> None:
        """End it from our side; the encoder reads the sentence."""
        if self.parting is None and self._work is not None:
            self.parting = (reason, sentence)
            self._work.cancel()


Admit = Callable[[str, Line], Awaitable[Taker]]  # raises a FootlightError to refuse the key


class IngestServer:
    """`admit` decides about each key before anything is accepted."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit
        self._server: asyncio.Server | None = None
        self._is_closing = False
        self._lines: dict[asyncio.Task[None], Line] = {}
        self._strangers: Counter[str] = Counter()

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        self._server = await asyncio.start_server(self._connected, host, port, limit=READ_BYTES)

    async def close(self) -> None:
        """Take no more connections, end those there are, and wait until their takers know."""
        self._is_closing = True
        if self._server is not None:
            self._server.close()
        for line in self._lines.values():
            line.hang_up("shutting_down", "The ingest restarts. Connect again in a moment.")
        if self._lines:
            await asyncio.wait(self._lines)

    @property
    def connections(self) -> int:
        return len(self._lines)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = (writer.get_extra_info("peername") or ("unknown",))[0]
        if self._is_closing or self._is_crowded(address):
            log.info("ingest.turned_away", address=address)
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # for the type checker: a coroutine runs in a task
        line = self._lines[task] = Line(address)
        try:
            await Connection(self._admit, self._strangers, line, reader, writer).serve()
        finally:
            del self._lines[task]
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await writer.wait_closed()
            writer.transport.abort()

    def _is_crowded(self, address: str) -> bool:
        return self._strangers[address] >= MAX_STRANGERS_PER_ADDRESS or self._strangers.total() >= MAX_STRANGERS


class Connection:
    """Runs one session until it ends, and tells its taker."""

    def __init__(
        self,
        admit: Admit,
        strangers: Counter[str],
        line: Line,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._admit = admit
        self._strangers = strangers
        self._line = line
        self._reader = reader
        self._writer = writer
        self._session = RtmpSession(os.urandom)
        self._taker: Taker | None = None
        self._is_stranger = True

    async def serve(self) -> None:
        """Never raises for what the other side does."""
        self._strangers[self._line.address] += 1
        work = asyncio.create_task(self._run())
        self._line.runs(work)
        try:
            await asyncio.wait({work})
        finally:
            work.cancel()
            self._no_stranger()
            reason = await self._outcome(work)
            if self._taker is not None:
                await self._taker.gone(reason)
            log.info("ingest.closed", address=self._line.address, reason=reason)

    async def _outcome(self, work: "asyncio.Task[str]") -> str:
        """Why it ended; says goodbye when we ended it."""
        try:
            return await work
        except asyncio.CancelledError:
            if self._line.parting is None:
                return "shutting_down"
            reason, sentence = self._line.parting
        except RtmpBroken as broken:
            return f"{broken.code}: {broken.message}"
        except FootlightError as failure:
            reason, sentence = failure.code, failure.message
        except TimeoutError:
            reason, sentence = "silent", "Nothing came for too long."
        except (OSError, EOFError):
            return "connection_lost"
        except Exception:  # a fault of ours must still release the stream its taker holds
            log.exception("ingest.failed", address=self._line.address)
            reason, sentence = FootlightError.code, FootlightError.message
        self._session.stop(sentence)
        with contextlib.suppress(OSError, TimeoutError):
            await self._send()
        return reason

    async def _run(self) -> str:
        async with asyncio.timeout(PREPUBLISH_SECONDS):
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                while self._session.phase in {Phase.GREETING, Phase.CONFIRMING}:
                    await self._turn()
            while self._session.phase in {Phase.COMMANDS, Phase.DECIDING}:
                if reason := await self._turn():
                    return reason
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                data = await self._read()
            if reason := await self._handle(data):
                return reason

    async def _turn(self) -> str | None:
        return await self._handle(await self._read())

    async def _read(self) -> bytes:
        if not (data := await self._reader.read(READ_BYTES)):
            raise EOFError
        return data

    async def _handle(self, data: bytes) -> str | None:
        """Everything that follows from what arrived; a reason when it was the end."""
        self._session.feed(data)
        while (event := self._session.next_event()) is not None:
            if isinstance(event, Goodbye):
                await self._send()
                return event.reason
            if isinstance(event, PublishAsked):
                await self._decide(event.key)
            elif self._taker is not None:
                await self._taker.take(event)
        await self._send()
        return None

    async def _decide(self, key: str) -> None:
        try:
            self._taker = await self._admit(key, self._line)
        except FootlightError as refusal:
            log.info("ingest.refused", address=self._line.address, code=refusal.code)
            self._session.refuse(refusal.message)
            return
        self._no_stranger()
        self._session.accept()

    def _no_stranger(self) -> None:
        if self._is_stranger:
            self._is_stranger = False
            self._strangers[self._line.address] -= 1
            if not self._strangers[self._line.address]:
                del self._strangers[self._line.address]

    async def _send(self) -> None:
        if output := self._session.take_output():
            self._writer.write(output)
            async with asyncio.timeout(SEND_SECONDS):
                await self._writer.drain()
