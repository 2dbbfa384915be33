"""FLV tags: what RTMP carries and ffmpeg reads. Knows just enough of their first bytes to tell frames apart.

Adobe's "FLV 10.1, annex E", and "Enhanced RTMP v2" for the headers that name a codec by four characters.
"""

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What a tag holds; the numbers are those of RTMP and FLV."""

    AUDIO = 8
    VIDEO = 9
    DATA = 18


@dataclass(frozen=True, slots=True)
class Tag:
    """One frame, header or piece of metadata. Milliseconds of the encoder's clock."""

    kind: Kind
    timestamp_ms: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Look:
    """What the first bytes of an audio or video tag say."""

    codec: str  # h264, hevc, aac, ...
    header: bool = False  # how to decode what follows, not a frame
    frame: bool = True
    keyframe: bool = False


VIDEO_CODECS = {2: "h263", 3: "screen", 4: "vp6", 5: "vp6a", 6: "screen2", 7: "h264", 12: "hevc"}
AUDIO_CODECS = {0: "pcm", 1: "adpcm", 2: "mp3", 3: "pcm", 7: "g711a", 8: "g711u", 10: "aac", 11: "speex", 14: "mp3"}
NAMED_CODECS = {
    b"avc1": "enhanced h264", b"hvc1": "hevc", b"av01": "av1", b"vp08": "vp8", b"vp09": "vp9", b"vvc1": "vvc",
    b"Opus": "opus", b"fLaC": "flac", b"ac-3": "ac3", b"ec-3": "eac3", b".mp3": "enhanced mp3", b"mp4a": "enhanced aac",
}  # fmt: skip
KEYFRAME = 1
SEQUENCE_HEADER, FRAME = 0, 1
ENHANCED_VIDEO, ENHANCED_AUDIO = 0x80, 9


def look(tag: Tag) -> Look | None:
    """None for what is neither audio nor video, and for what is too short to be either."""
    payload = tag.payload
    if tag.kind == Kind.VIDEO and len(payload) >= 5:
        return _look_at_video(payload)
    if tag.kind == Kind.AUDIO and len(payload) >= 2:
        return _look_at_audio(payload)
    return None


def _look_at_video(payload: bytes) -> Look:
    first = payload[0]
    if first & ENHANCED_VIDEO:
        kind = first & 15
        return Look(_named(payload), kind == 0, kind in {1, 3}, (first >> 4) & 7 == KEYFRAME)
    codec = VIDEO_CODECS.get(first & 15, f"video codec {first & 15}")
    is_key = first >> 4 == KEYFRAME
    if codec not in {"h264", "hevc"}:
        return Look(codec, keyframe=is_key)
    return Look(codec, payload[1] == SEQUENCE_HEADER, payload[1] == FRAME, is_key)


def _look_at_audio(payload: bytes) -> Look:
    number = payload[0] >> 4
    if number == ENHANCED_AUDIO:
        return Look(_named(payload), header=payload[0] & 15 == 0)
    codec = AUDIO_CODECS.get(number, f"audio codec {number}")
    is_header = codec == "aac" and payload[1] == SEQUENCE_HEADER
    return Look(codec, header=is_header, frame=not is_header)


def _named(payload: bytes) -> str:
    return NAMED_CODECS.get(payload[1:5], "unknown")


def file_header(*, with_audio: bool) -> bytes:
    """The beginning of a file with video and perhaps audio."""
    return b"FLV\x01" + bytes([5 if with_audio else 1]) + b"\x00\x00\x00\x09\x00\x00\x00\x00"


def encode(tag: Tag) -> bytes:
    """The tag as it stands in a file, followed by its size."""
    size, at = len(tag.payload), tag.timestamp_ms
    header = bytes([tag.kind]) + size.to_bytes(3, "big") + (at & 0xFFFFFF).to_bytes(3, "big")
    return b"".join((header, bytes([at >> 24 & 0xFF]), b"\x00\x00\x00", tag.payload, (size + 11).to_bytes(4, "big")))
