"""Frames against an independent library: what we write it reads, what it writes we read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from loadtest.users.framing import TEXT, BrokenFrame, frames, masked


@given(st.text(max_size=70_000).filter(lambda text: len(text.encode()) < 65_536), st.binary(min_size=4, max_size=4))
def test_what_a_client_writes_is_read_by_wsproto(text: str, key: bytes) -> None:
    server = Connection(ConnectionType.SERVER)
    server.receive_data(masked(text.encode(), key))
    assert "".join(event.data for event in server.events() if isinstance(event, TextMessage)) == text


@given(st.lists(st.text(max_size=300), max_size=8), st.randoms())
def test_frames_are_whole_however_the_network_cuts_them(texts: list[str], dice: st.DrawFn) -> None:
    server = Connection(ConnectionType.SERVER)
    stream = b"".join(server.send(TextMessage(data=text)) for text in texts)
    buffer, found = bytearray(), []
    while stream:
        size = dice.randint(1, len(stream))  # type: ignore[attr-defined]  # a random.Random in truth
        buffer += stream[:size]
        stream = stream[size:]
        found += list(frames(buffer))
    assert found == [(TEXT, text.encode()) for text in texts]
    assert not buffer


def test_a_long_frame_is_read() -> None:
    text = "x" * 70_000
    buffer = bytearray(Connection(ConnectionType.SERVER).send(TextMessage(data=text)))
    assert list(frames(buffer)) == [(TEXT, text.encode())]


@pytest.mark.parametrize("start", [b"\x01\x01a", b"\xc1\x01a", b"\x81\x81abcde", b"\x81\x7f" + b"\xff" * 8])
def test_what_our_servers_never_send_is_an_error(start: bytes) -> None:
    with pytest.raises(BrokenFrame):
        list(frames(bytearray(start)))
