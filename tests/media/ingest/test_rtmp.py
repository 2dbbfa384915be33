"""The protocol machine, fed with real sessions: as they were, cut, and mutated."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from media.errors import RtmpBroken
from media.ingest import amf
from media.ingest.chunks import MAX_MESSAGE_BYTES, Message, in_chunks
from media.ingest.flv import Kind, Tag, look
from media.ingest.rtmp import Goodbye, Metadata, Phase, PublishAsked, RtmpSession
from tests.media.ingest.sessions import events_of, zeros

GREETING = b"\x03" + bytes(1536) + bytes(1536)
settled = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def command(*values: object) -> bytes:
    # Our own chunks are 4096 bytes; what is sent here fits the 128 a session begins with.
    payload = amf.encode(*values)
    data = in_chunks(3, Message(20, 0, 1, payload[:128]))
    data = data[:4] + len(payload).to_bytes(3, "big") + data[7:]
    return data + b"".join(b"\xc3" + payload[at : at + 128] for at in range(128, len(payload), 128))


CONNECT = command("connect", 1, {"app": "live"})
PUBLISH = command("publish", 2, None, "live_key", "live")


def session_after(data: bytes) -> RtmpSession:
    session = RtmpSession(zeros)
    session.feed(data)
    return session


def test_a_real_encoder_is_understood(recorded: bytes) -> None:
    events = events_of(recorded)
    assert events[0] == PublishAsked("live_key")
    assert events[-1] == Goodbye("unpublished")
    told = next(event for event in events if isinstance(event, Metadata))
    assert told.values["width"] == 320
    tags = [event for event in events if isinstance(event, Tag)]
    looks = [(tag.kind, seen) for tag in tags if (seen := look(tag))]
    assert {(kind, seen.codec) for kind, seen in looks} == {(Kind.VIDEO, "h264"), (Kind.AUDIO, "aac")}
    assert sum(kind == Kind.VIDEO and seen.frame for kind, seen in looks) == 15
    assert sum(kind == Kind.VIDEO and seen.frame and seen.keyframe for kind, seen in looks) == 3


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
def test_where_the_network_cuts_makes_no_difference(recorded: bytes, piece_bytes: int) -> None:
    assert events_of(recorded, piece_bytes=piece_bytes) == events_of(recorded)


@settled
@given(some.data())
def test_a_mutated_session_ends_or_goes_on_but_never_fails(recorded: bytes, data: some.DataObject) -> None:
    mutated = bytearray(recorded)
    for _ in range(data.draw(some.integers(1, 8))):
        # Most mutations go where the structure is: handshake and commands are in the first 4 KB.
        at = data.draw(some.integers(0, len(mutated) - 1) | some.integers(3000, 4500))
        mutated[at : at + data.draw(some.integers(0, 3))] = data.draw(some.binary(max_size=6))
    with contextlib.suppress(RtmpBroken):
        events = events_of(bytes(mutated))
        size = sum(len(event.payload) for event in events if isinstance(event, Tag))
        assert size <= len(mutated)


@settled
@given(some.binary(max_size=2000))
def test_garbage_after_the_handshake_is_held_in_bounds(garbage: bytes) -> None:
    session = session_after(GREETING + CONNECT + PUBLISH)
    with contextlib.suppress(RtmpBroken):
        while session.next_event() is not None:
            session.accept()
        session.feed(garbage)
        while session.next_event() is not None:
            pass
    assert len(session.take_output()) < 20_000
    assert session._chunks._held <= MAX_MESSAGE_BYTES + 65_536


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"GET / HTTP/1.1\r\n", "another protocol"),
        (GREETING + PUBLISH, "publish before connect"),
        (GREETING + CONNECT + in_chunks(4, Message(9, 0, 1, b"\x17")), "media before publish"),
        (GREETING + in_chunks(2, Message(1, 0, 0, bytes(4))), "chunks of no bytes"),
        (GREETING + in_chunks(2, Message(99, 0, 0, b"?")), "an unknown message"),
        (GREETING + command("createStream", 1) * 65, "commands without end"),
    ],
)
def test_what_is_not_publishing_is_refused(data: bytes, what: str) -> None:
    session = session_after(data)
    with pytest.raises(RtmpBroken):
        while session.next_event() is not None:
            pass


def test_nothing_is_read_until_the_key_was_decided() -> None:
    session = session_after(GREETING + CONNECT + PUBLISH + in_chunks(4, Message(9, 0, 1, b"\x17\x01\x00\x00\x00")))
    assert session.next_event() == PublishAsked("live_key")
    assert session.next_event() is None
    session.accept()
    assert isinstance(session.next_event(), Tag)


def test_a_refusal_names_the_reason() -> None:
    session = session_after(GREETING + CONNECT + PUBLISH)
    assert session.next_event()
    session.take_output()
    session.refuse("This stream key is not valid.")
    output = session.take_output()
    assert b"NetStream.Publish.BadName" in output
    assert b"This stream key is not valid." in output
    assert session.next_event() == Goodbye("refused")
    assert session.phase is Phase.OVER


def test_another_app_is_refused_by_name() -> None:
    session = session_after(GREETING + command("connect", 1, {"app": "vod"}))
    assert session.next_event() == Goodbye("refused")
    assert b"must end in /live" in session.take_output()


def test_playing_is_refused_by_name() -> None:
    session = session_after(GREETING + CONNECT + command("play", 2, None, "live_key"))
    assert session.next_event() == Goodbye("refused")
    assert b"NetStream.Play.Failed" in session.take_output()


def test_an_aggregate_is_taken_apart() -> None:
    session = session_after(GREETING + CONNECT + PUBLISH)
    assert session.next_event()
    session.accept()
    inside = b"".join(
        bytes([kind]) + (5).to_bytes(3, "big") + at.to_bytes(3, "big") + bytes(4) + b"\x17\x01\x00\x00\x00" + bytes(4)
        for kind, at in ((9, 1000), (8, 1020))
    )
    session.feed(in_chunks(4, Message(22, 500, 1, inside)))
    tags = [session.next_event(), session.next_event()]
    assert [(tag.kind, tag.timestamp_ms) for tag in tags if isinstance(tag, Tag)] == [(9, 500), (8, 520)]
