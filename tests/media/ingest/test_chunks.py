"""Chunks: cut anywhere, interleaved, and never more than announced limits in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from media.errors import RtmpBroken
from media.ingest.chunks import MAX_CHUNK_STREAMS, ChunkReader, Message, in_chunks


def first_chunk(stream: int, length: int, body: bytes, timestamp: bytes = b"\x00\x00\x01") -> bytes:
    return bytes([stream]) + timestamp + length.to_bytes(3, "big") + b"\x09\x01\x00\x00\x00" + body


def messages_of(reader: ChunkReader, data: bytes) -> list[Message]:
    reader.feed(data)
    found = []
    while (message := reader.next_message()) is not None:
        found.append(message)
    return found


@given(some.binary(min_size=1, max_size=10_000), some.integers(1, 700))
def test_a_message_survives_any_cut(payload: bytes, piece: int) -> None:
    message, reader, found = Message(9, 1234, 1, payload), ChunkReader(), list[Message]()
    reader.chunk_bytes = 4096
    data = in_chunks(6, message)
    for at in range(0, len(data), piece):
        found += messages_of(reader, data[at : at + piece])
    assert found == [message]


def test_two_messages_may_be_on_their_way_at_once() -> None:
    data = first_chunk(4, 200, b"a" * 128) + first_chunk(6, 130, b"b" * 128)
    data += b"\xc4" + b"a" * 72 + b"\xc6" + b"b" * 2
    assert [message.payload[:1] for message in messages_of(ChunkReader(), data)] == [b"a", b"b"]


def test_differences_add_up() -> None:
    data = first_chunk(4, 1, b"a") + b"\x84\x00\x00\x14" + b"b" + b"\xc4c"
    assert [message.timestamp_ms for message in messages_of(ChunkReader(), data)] == [1, 21, 41]


@pytest.mark.parametrize("repeated", [b"\x01\x00\x00\x00", b""])
def test_a_long_timestamp_may_be_repeated_or_not(repeated: bytes) -> None:
    data = first_chunk(4, 138, b"", b"\xff\xff\xff") + b"\x01\x00\x00\x00" + b"a" * 128 + b"\xc4" + repeated + b"a" * 10
    assert messages_of(ChunkReader(), data) == [Message(9, 1 << 24, 1, b"a" * 138)]


def test_an_aborted_message_is_forgotten() -> None:
    reader = ChunkReader()
    assert messages_of(reader, first_chunk(4, 200, b"a" * 128)) == []
    reader.abort(4)
    assert messages_of(reader, first_chunk(4, 1, b"b"))[0].payload == b"b"


@pytest.mark.parametrize(
    "data",
    [
        b"\xc4",  # continues what never began
        first_chunk(4, 70_000, b""),
        first_chunk(4, 200, b"a" * 128) + first_chunk(4, 200, b""),
        b"".join(first_chunk(stream, 65_000, b"a" * 128) for stream in range(4, 6 + MAX_CHUNK_STREAMS)),
    ],
)
def test_what_breaks_the_rules_is_refused(data: bytes) -> None:
    with pytest.raises(RtmpBroken):
        messages_of(ChunkReader(), data)


def test_unfinished_messages_share_one_limit() -> None:
    reader = ChunkReader()
    reader.chunk_bytes = 60_000
    with pytest.raises(RtmpBroken):
        messages_of(reader, b"".join(first_chunk(stream, 65_000, b"a" * 60_000) for stream in range(4, 8)))
