"""What the first bytes of a tag say, enhanced headers included."""

import pytest

from media.ingest.flv import Kind, Look, Tag, look


@pytest.mark.parametrize(
    ("kind", "payload", "seen"),
    [
        (Kind.VIDEO, b"\x17\x00\x00\x00\x00", Look("h264", header=True, frame=False, keyframe=True)),
        (Kind.VIDEO, b"\x17\x01\x00\x00\x00", Look("h264", keyframe=True)),
        (Kind.VIDEO, b"\x27\x01\x00\x00\x00", Look("h264")),
        (Kind.VIDEO, b"\x17\x02\x00\x00\x00", Look("h264", frame=False, keyframe=True)),
        (Kind.VIDEO, b"\x90hvc1", Look("hevc", header=True, frame=False, keyframe=True)),
        (Kind.VIDEO, b"\xa1av01", Look("av1")),
        (Kind.VIDEO, b"\x91????", Look("unknown", keyframe=True)),
        (Kind.VIDEO, b"\x17", None),
        (Kind.AUDIO, b"\xaf\x00\x12\x10", Look("aac", header=True, frame=False)),
        (Kind.AUDIO, b"\xaf\x01\x00", Look("aac")),
        (Kind.AUDIO, b"\x2f\xff", Look("mp3")),
        (Kind.AUDIO, b"\x91Opus", Look("opus")),
        (Kind.AUDIO, b"", None),
        (Kind.DATA, b"\x02\x00\x0aonMetaData", None),
    ],
)
def test_tags_are_told_apart(kind: Kind, payload: bytes, seen: Look | None) -> None:
    assert look(Tag(kind, 0, payload)) == seen
