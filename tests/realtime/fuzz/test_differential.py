"""Our RFC 6455 parser and `wsproto` read the same bytes the same way."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.wire.websocket import MAX_FRAGMENTS, Parser
from tests.realtime.fuzz.compare import Parted, compare, run
from tests.realtime.fuzz.reference import Message, header_is_wrong
from tests.realtime.fuzz.streams import BROKEN_UTF8, CLOSE_CODES, MAX_BYTES, frame

SEEDS = (1, 2, 3, 4)
FRAMES = 5_000  # for each seed; `python -m tests.realtime.fuzz --frames 1000000` is the long run


@pytest.mark.parametrize("seed", SEEDS)
def test_random_streams_are_read_as_wsproto_reads_them(seed: int) -> None:
    tally = run(Parser, seed, FRAMES)
    # Streams that always fail at once would agree about nothing.
    assert tally["messages"] > FRAMES / 4
    assert all(tally[f"ended: {end}"] for end in ("fine", "closed", "1002", "1009"))
    assert tally["ended: 1007"] + tally["ended: 1007, late text"]


lengths = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536, 2**31, 2**63 - 1, 2**63, 2**64 - 1]) | st.integers(0, 300)
payloads = st.binary(max_size=200) | st.text(max_size=60).map(str.encode) | st.sampled_from(BROKEN_UTF8)
frames = st.builds(
    frame,
    st.sampled_from([0, 0, 1, 1, 2, 8, 9, 10]) | st.integers(0, 15),
    payloads,
    fin=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 0, 0, 0]) | st.integers(0, 7),
    mask=st.binary(min_size=4, max_size=4) | st.none(),
    width=st.sampled_from([None, None, None, 0, 2, 8]),
    announced=st.none() | st.none() | lengths,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(frames | st.binary(max_size=20), max_size=6), st.lists(st.integers(0, 1000), max_size=6))
def test_whatever_bytes_come_in_whatever_pieces_both_read_the_same(parts: list[bytes], places: list[int]) -> None:
    data = b"".join(parts)
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    compare(Parser, [data[start:end] for start, end in pairwise(edges)], max_bytes=1000)


@pytest.mark.parametrize("reason", [b"", b"bye", b"x" * 123, b"\xff", b"\xe2\x9c"])
@pytest.mark.parametrize("code", CLOSE_CODES)
def test_closes_of_all_codes_and_reasons(code: int, reason: bytes) -> None:
    compare(Parser, [frame(8, code.to_bytes(2, "big") + reason) + frame(1, b"after")])


@pytest.mark.parametrize("payload", [b"", b"\x03", b"x" * 125, b"x" * 126])
@pytest.mark.parametrize("opcode", [8, 9, 10])
def test_control_frames_of_all_sizes(opcode: int, payload: bytes) -> None:
    compare(Parser, [frame(opcode, payload), frame(1, b"after")])


@pytest.mark.parametrize("wrong", BROKEN_UTF8)
def test_broken_text_cut_anywhere_ends_the_connection(wrong: bytes) -> None:
    text = "é".encode() + wrong + "✓".encode()
    for place in range(len(text) + 1):
        pieces = [frame(1, text[:place], fin=False), frame(9, b"between"), frame(0, text[place:]), frame(1, b"after")]
        _, end = compare(Parser, pieces)
        assert end.startswith("1007")


def test_characters_cut_anywhere_are_whole_again() -> None:
    text = "aé✓🎉".encode()
    for place in range(len(text) + 1):
        parser = Parser(MAX_BYTES)
        assert parser.feed(frame(1, text[:place], fin=False)) == []
        assert parser.feed(frame(9, b"between")) == [(9, b"between")]
        assert parser.feed(frame(0, text[place:])) == [(1, "aé✓🎉")]


@pytest.mark.parametrize("length", [MAX_BYTES + 1, 65536, 2**31, 2**62, 2**63 - 1])
def test_a_giant_is_refused_before_it_arrives(length: int) -> None:
    for opcode in (1, 2):
        parser = Parser(MAX_BYTES)
        assert parser.feed(frame(opcode, b"", announced=length)) == []
        assert parser.failed == 1009
        assert parser.feed(frame(1, b"after")) == []


def test_a_giant_in_small_fragments_is_refused() -> None:
    parser = Parser(1000)
    assert parser.feed(frame(2, b"x" * 400, fin=False) + frame(0, b"x" * 400, fin=False)) == []
    assert parser.failed == 0
    assert parser.feed(frame(0, b"x" * 201)) == []
    assert parser.failed == 1009


def test_fragments_without_end_are_refused_however_small() -> None:
    parser = Parser(1000)
    assert parser.feed(frame(1, b"", fin=False) + frame(0, b"", fin=False) * (MAX_FRAGMENTS - 2)) == []
    assert parser.failed == 0
    assert parser.feed(frame(0, b"")) == [(1, "")]
    assert parser.feed(frame(1, b"", fin=False) + frame(0, b"", fin=False) * MAX_FRAGMENTS) == []
    assert parser.failed == 1009


def test_a_ping_between_fragments_does_not_count_against_the_message() -> None:
    parser = Parser(1000)
    pieces = frame(2, b"x" * 1000, fin=False) + frame(9, b"p" * 125) + frame(0, b"")
    assert parser.feed(pieces) == [(9, b"p" * 125), (2, b"x" * 1000)]


def test_a_parser_that_is_wrong_is_found_out() -> None:
    """The comparison itself must be able to fail: once for what is said, once for how it ends."""

    class Deaf(Parser):
        def feed(self, data: bytes) -> list[Message]:
            return [message for message in super().feed(data) if message[0] != 9]

    class Lenient(Parser):
        def feed(self, data: bytes) -> list[Message]:
            said = super().feed(data)
            self.failed = 0
            return said

    for wrong in (Deaf, Lenient):
        with pytest.raises(Parted):
            run(wrong, 1, 1_000)


def test_only_headers_that_are_wrong_already_may_fail_early() -> None:
    for begun in ("81", "81fe", "81fe00", "81fe007e", "81ff000000000001", "0180", "88", "88fd"):
        assert not header_is_wrong(bytes.fromhex(begun), in_message=False), begun
    for begun in ("c1", "83", "08", "8101", "88fe", "81fe0001", "81ff80", "81ff000000000000", "80"):
        assert header_is_wrong(bytes.fromhex(begun), in_message=False), begun
    assert header_is_wrong(b"\x81", in_message=True)
    assert not header_is_wrong(b"\x80", in_message=True)
