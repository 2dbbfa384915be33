"""Real RTMP sessions, recorded from a real encoder, to feed to the protocol machine."""

import asyncio

from infra.local.parts import LOOPBACK
from media.ingest.rtmp import Event, Goodbye, PublishAsked, RtmpSession
from tests.media.publisher import publishing

READ_BYTES = 65_536


def zeros(count: int) -> bytes:
    return bytes(count)


async def record(**options: object) -> bytes:
    """Everything an encoder sends from the first byte to the end of its stream."""
    recorded: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session, sent = RtmpSession(zeros), bytearray()
        while data := await reader.read(READ_BYTES):
            sent += data
            session.feed(data)
            over = False
            while (event := session.next_event()) is not None:
                if isinstance(event, PublishAsked):
                    session.accept()
                over = over or isinstance(event, Goodbye)
            writer.write(session.take_output())
            if over:
                break
        writer.close()
        recorded.set_result(bytes(sent))

    server = await asyncio.start_server(connected, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    async with publishing(f"rtmp://{LOOPBACK}:{port}/live/live_key", real_time=False, **options):
        session = await recorded
    server.close()
    return session


def events_of(data: bytes, *, piece_bytes: int = READ_BYTES) -> list[Event]:
    """What the machine makes of a session whose key is good. Raises `RtmpBroken`."""
    session, events = RtmpSession(zeros), list[Event]()
    for at in range(0, len(data), piece_bytes):
        session.feed(data[at : at + piece_bytes])
        while (event := session.next_event()) is not None:
            events.append(event)
            if isinstance(event, PublishAsked):
                session.accept()
        session.take_output()
    return events
