"""MediaConvert's own look at a source, in our terms. Pure.

The service reads the stranger's bytes, so none of them comes near our processes.
"""

from fractions import Fraction
from typing import Any

from media.vod.confine import MAX_PIXELS, MAX_STREAMS
from media.vod.errors import NoPicture, PictureTooLarge, TooLong, TooManyStreams, Unreadable
from media.vod.plan import AudioTrack, Probed, VideoTrack

USUAL_FPS = Fraction(30)
QUARTER_TURNS = (90, 270)


def probed_of(results: list[dict[str, Any]], *, size_bytes: int, max_seconds: float) -> Probed:
    """The one result of `Probe`. Raises a `MediaRefused` for what may not become a video."""
    container = results[0].get("Container", {}) if results else {}
    tracks = container.get("Tracks", [])
    pictures = [track for track in tracks if track.get("VideoProperties")]
    sounds = [track for track in tracks if track.get("AudioProperties")]
    duration = float(container.get("Duration") or 0)
    if len(tracks) > MAX_STREAMS:
        raise TooManyStreams
    if not pictures:
        raise NoPicture
    if not duration > 0:
        raise Unreadable
    if duration > max_seconds:
        raise TooLong
    return Probed(
        container=str(container.get("Format", "")),
        duration_seconds=duration,
        size_bytes=size_bytes,
        video=_video(pictures[0]),
        audio=_audio(sounds[0]) if sounds else None,
    )


def _video(track: dict[str, Any]) -> VideoTrack:
    about = track["VideoProperties"]
    known = about.get("CodecMetadata", {})
    width, height = int(about.get("Width") or 0), int(about.get("Height") or 0)
    if width < 1 or height < 1:
        raise Unreadable
    if width * height > MAX_PIXELS:
        raise PictureTooLarge
    shape = _fraction(about.get("SampleAspectRatio") or known.get("SampleAspectRatio")) or Fraction(1)
    rotation = int(about.get("Rotation") or known.get("Rotation") or 0) % 360
    shown = max(1, round(width * shape)), height
    if rotation in QUARTER_TURNS:
        shown = shown[1], shown[0]
    rate = _fraction(about.get("FrameRate")) or _fraction(known.get("CodedFrameRate")) or USUAL_FPS
    return VideoTrack(
        codec=str(track.get("Codec", "")).lower(),
        profile=str(known.get("Profile", "")),
        width=shown[0],
        height=shown[1],
        fps=float(rate),
        pixel_format=str(known.get("ChromaSubsampling", "")),
        bitrate_bps=int(about.get("BitRate") or 0),
        rotation=rotation,
        interlaced=str(known.get("ScanType", "")).lower() not in ("", "progressive"),
        anamorphic=shape != 1,
    )


def _audio(track: dict[str, Any]) -> AudioTrack:
    about = track["AudioProperties"]
    return AudioTrack(
        codec=str(track.get("Codec", "")).lower(),
        channels=int(about.get("Channels") or 2),
        sample_rate=int(about.get("SampleRate") or 48_000),
        bitrate_bps=int(about.get("BitRate") or 0),
    )


def _fraction(ratio: dict[str, int] | None) -> Fraction | None:
    """`{Numerator, Denominator}`; None for what says nothing."""
    above, below = (ratio or {}).get("Numerator", 0), (ratio or {}).get("Denominator", 0)
    return Fraction(above, below) if above > 0 and below > 0 else None
