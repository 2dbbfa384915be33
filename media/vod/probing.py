"""Reads a stranger's file and says what is in it: `python -m media.vod.probing <file> <limits as JSON>`.

Runs only as a confined child (`probe.py`). Prints one line of JSON: `{"probed": ...}` or `{"refused": "<code>"}`, which
the parent checks as if the stranger had said it.
"""

import sys
import time
from fractions import Fraction
from typing import Any

import av
import msgspec
from av.error import FFmpegError

from media.vod.plan import AudioTrack, Probed, VideoTrack

SCAN_SECONDS = 4.0  # looking for key frames; a picture whose frames are not known by then is encoded anew
SCAN_BYTES = 8 << 30
FIRST_PACKETS = 400  # a picture must be decoded from these
SQUARE = Fraction(1)
# The end that a whole file may lack: its last packets against what its header says.
WHOLE = 0.95
TAIL_SECONDS = 10


class Asked(msgspec.Struct):
    """The limits, as `probe.py` sends them."""

    options: dict[str, str]
    max_seconds: float
    max_streams: int
    max_pixels: int


class Refused(Exception):
    """`code` of a `MediaRefused`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def main() -> None:
    path, asked = sys.argv[1], msgspec.json.decode(sys.argv[2], type=Asked)
    av.logging.set_level(None)  # what a stranger's file makes the decoder say belongs in nobody's log
    try:
        answer: dict[str, Any] = {"probed": examine(path, asked)}
    except Refused as refused:
        answer = {"refused": refused.code}
    except (FFmpegError, ValueError, IndexError, EOFError, MemoryError, OverflowError) as broken:
        answer = {"refused": "video.format" if isinstance(broken, av.error.ArgumentError) else "video.unreadable"}
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")


def examine(path: str, asked: Asked) -> Probed:
    """Raises `Refused`, and what PyAV raises for a file it cannot read."""
    with av.open(path, options=dict(asked.options), metadata_errors="ignore") as container:
        if len(container.streams) > asked.max_streams:
            raise Refused("video.too_many_streams")
        stream = _picture(container)
        if stream.codec_context.width * stream.codec_context.height > asked.max_pixels:
            raise Refused("video.too_large_picture")
        if _duration(container, stream) > asked.max_seconds:
            raise Refused("video.too_long")
        first = _first_frame(container, stream)
        if first.width * first.height > asked.max_pixels:
            raise Refused("video.too_large_picture")
        start = _start(container)
        duration = _length(container, stream, start, asked.max_seconds)
        track = _track(stream, first, duration, container.size)
    track = _with_keyframes(path, asked, track, start)
    with av.open(path, options=dict(asked.options), metadata_errors="ignore") as container:
        return Probed(
            container=container.format.name,
            duration_seconds=round(duration, 3),
            size_bytes=container.size,
            video=track,
            audio=_audio(container),
            start_seconds=round(start, 6),
        )


def _picture(container: Any) -> Any:
    moving = [each for each in container.streams.video if not each.disposition & av.stream.Disposition.attached_pic]
    if not moving:
        raise Refused("video.no_picture")
    return max(moving, key=lambda each: each.codec_context.width * each.codec_context.height)


def _duration(container: Any, stream: Any) -> float:
    """Seconds of the picture; 0 when nothing in the header says."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return float(container.duration / av.time_base) if container.duration else 0.0


def _start(container: Any) -> float:
    return float(container.start_time / av.time_base) if container.start_time else 0.0


def _first_frame(container: Any, stream: Any) -> Any:
    for number, packet in enumerate(container.demux(stream)):
        try:
            for frame in packet.decode():
                return frame
        except FFmpegError:
            pass  # a later frame may do; that none does is the answer below
        if number > FIRST_PACKETS:
            break
    raise Refused("video.unreadable")


def _length(container: Any, stream: Any, start: float, max_seconds: float) -> float:
    """Seconds of the picture, as the header says and as packets are there for. A truncated file probes as healthy, and
    an encoder of it ends with success (measured): this is where it is found."""
    said = _duration(container, stream)
    if said <= 0:
        return _measured(container, stream, start, max_seconds)
    end = _end(container, stream, start + said)
    if _reaches(end - start, said):
        return said
    # Matroska files of some programs count from zero and not from their first picture.
    if "matroska" in container.format.name and _reaches(end - start, said - start):
        return said - start
    raise Refused("video.truncated")


def _reaches(seconds: float, length: float) -> bool:
    return length > 0 and (seconds >= length * WHOLE or seconds >= length - 1.0)


def _end(container: Any, stream: Any, expected: float) -> float:
    """Where the picture's last packet ends. `expected` when it takes too long to find: encoding will tell."""
    last, limit = 0.0, time.monotonic() + SCAN_SECONDS
    try:
        container.seek(int(max(0.0, expected - TAIL_SECONDS) * av.time_base))
        for packet in container.demux(stream):
            if packet.pts is not None:
                last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if time.monotonic() > limit:
                return expected
    except FFmpegError:
        pass  # unreadable from here on: what was found until here counts
    return last


def _measured(container: Any, stream: Any, start: float, max_seconds: float) -> float:
    """The duration of a file that does not say it (a live capture): where its last packet ends."""
    container.seek(0)
    last = 0.0
    for packet in container.demux(stream):
        if packet.pts is not None:
            last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if last - start > max_seconds:
            raise Refused("video.too_long")
    if last <= start:
        raise Refused("video.unreadable")
    return last - start


def _track(stream: Any, first: Any, duration: float, size: int) -> VideoTrack:
    context = stream.codec_context
    shape = stream.sample_aspect_ratio or context.sample_aspect_ratio or SQUARE
    width, height = round(context.width * (shape if shape > 0 else SQUARE)), context.height
    rotation = round(first.rotation) % 360
    if rotation in (90, 270):
        width, height = height, width
    rate = float(stream.average_rate or stream.guessed_rate or 0) or 30.0
    return VideoTrack(
        codec=context.name,
        profile=str(context.profile or ""),
        width=max(2, width),
        height=max(2, height),
        fps=round(min(240.0, max(1.0, rate)), 3),
        pixel_format=str(context.pix_fmt or first.format.name),
        bitrate_bps=stream.bit_rate or int(size * 8 / max(duration, 0.1)),
        rotation=rotation,
        interlaced=bool(first.interlaced_frame),
        anamorphic=shape != SQUARE,
    )


def _with_keyframes(path: str, asked: Asked, track: VideoTrack, start: float) -> VideoTrack:
    """Where the key frames are, if the picture could be kept as it is; a walk over the packets without decoding."""
    fits = track.codec == "h264" and track.pixel_format in ("yuv420p", "yuvj420p")
    if not fits or track.rotation or track.interlaced or track.anamorphic:
        return track
    until, found = time.monotonic() + SCAN_SECONDS, []
    with av.open(path, options=dict(asked.options), metadata_errors="ignore") as container:
        if container.size > SCAN_BYTES:
            return track
        for packet in container.demux(_picture(container)):
            if packet.is_keyframe and packet.pts is not None:
                found.append(round(float(packet.pts * packet.time_base) - start, 6))
            if time.monotonic() > until:
                return track
    return msgspec.structs.replace(track, keyframes=tuple(sorted(found)))


def _audio(container: Any) -> AudioTrack | None:
    for stream in container.streams.audio:
        context = stream.codec_context
        if context.channels and context.sample_rate:
            return AudioTrack(
                codec=context.name, channels=context.channels, sample_rate=context.sample_rate,
                bitrate_bps=stream.bit_rate or 0,
            )  # fmt: skip
    return None


if __name__ == "__main__":
    main()
