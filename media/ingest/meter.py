"""How an encoder is doing, and what its owner should change, in words. Pure: the clock is passed in."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from media.ingest.flv import Kind, Look
from media.ports import Health, HealthWarning

WINDOW_SECONDS = 5.0
SPARSE_KEYFRAME_SECONDS = 2.5  # two seconds is what we ask for; a little late is fine
DRIFT_MS = 3000
FAST_MS = -6000
HIGH_KBPS = 10_000
MISSING_SECONDS = 5.0
MANY_JUMPS = 3
LARGEST_SIDE = 16_384
WANTED = {Kind.VIDEO: "h264", Kind.AUDIO: "aac"}


@dataclass(slots=True)
class Meter:
    """Counts tags as they come. `now` is seconds of a clock that never jumps."""

    started: float
    video_codec: str = ""
    audio_codec: str = ""
    width: int = 0
    height: int = 0
    jumps: int = 0
    keyframe_interval_seconds: float = 0.0
    last_media: float = 0.0
    _recent: deque[tuple[float, int, bool]] = field(default_factory=deque)  # (second, bytes, is a video frame)
    _keyframe_ms: int | None = None
    _keyframe_at: float | None = None
    _first_ms: int | None = None
    _first_at: float = 0.0
    _drift_ms: float = 0.0
    _last_audio: float | None = None
    _last_video: float | None = None

    def saw(self, kind: Kind, look: Look, media_ms: int, size: int, now: float) -> None:
        """One tag, at its place on the timeline."""
        self.last_media = now
        self._recent.append((now, size, kind == Kind.VIDEO and look.frame))
        self._forget(now)
        if kind == Kind.AUDIO:
            self.audio_codec, self._last_audio = look.codec, now
            return
        self.video_codec, self._last_video = look.codec, now
        if look.frame:
            self._saw_frame(look, media_ms, now)

    def _saw_frame(self, look: Look, media_ms: int, now: float) -> None:
        if self._first_ms is None:
            self._first_ms, self._first_at = media_ms, now
        self._drift_ms = (now - self._first_at) * 1000 - (media_ms - self._first_ms)
        if look.keyframe:
            if self._keyframe_ms is not None:
                self.keyframe_interval_seconds = (media_ms - self._keyframe_ms) / 1000
            self._keyframe_ms, self._keyframe_at = media_ms, now

    def told(self, values: dict[str, Any]) -> None:
        """What the encoder says about its picture."""
        self.width, self.height = _side(values.get("width")), _side(values.get("height"))

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0][0] < now - WINDOW_SECONDS:
            self._recent.popleft()

    def _rate(self, amount: float, now: float) -> float:
        return amount / max(1.0, min(WINDOW_SECONDS, now - self.started))

    def health(self, now: float, connected_at: datetime, *, playable: bool) -> Health:
        """Everything at this moment."""
        self._forget(now)
        bitrate = self._rate(sum(size for _, size, _ in self._recent) * 8 / 1000, now)
        return Health(
            bitrate_kbps=round(bitrate, 1),
            fps=round(self._rate(sum(is_frame for _, _, is_frame in self._recent), now), 1),
            keyframe_interval_seconds=round(self._keyframe_seconds(now), 2),
            width=self.width,
            height=self.height,
            video_codec=self.video_codec,
            audio_codec=self.audio_codec,
            drift_ms=round(self._drift_ms, 1),
            connected_at=connected_at,
            playable=playable,
            warnings=self._warnings(now, bitrate),
        )

    def _keyframe_seconds(self, now: float) -> float:
        """The last interval, or the present one when it is longer already."""
        since = now - self._keyframe_at if self._keyframe_at is not None else 0.0
        return (
            since
            if since > max(SPARSE_KEYFRAME_SECONDS, self.keyframe_interval_seconds)
            else (self.keyframe_interval_seconds)
        )

    def _warnings(self, now: float, bitrate: float) -> list[HealthWarning]:
        return [
            HealthWarning(code, message)
            for code, message in (*self._codec_warnings(now), *self._pace_warnings(now, bitrate))
        ]

    def _codec_warnings(self, now: float) -> list[tuple[str, str]]:
        found = []
        if self.video_codec not in {"", WANTED[Kind.VIDEO]}:
            words = f"The encoder sends {self.video_codec} video: choose H.264 (x264 in OBS), or nobody sees anything."
            found.append(("codec.unsupported", words))
        if self.audio_codec not in {"", WANTED[Kind.AUDIO]}:
            words = f"The encoder sends {self.audio_codec} audio: choose AAC, or nobody hears anything."
            found.append(("codec.unsupported", words))
        if now - (self._last_video or self.started) > MISSING_SECONDS:
            found.append(("video.missing", "There is no picture: add a video source in your encoder."))
        if now - (self._last_audio or self.started) > MISSING_SECONDS:
            found.append(("audio.missing", "There is no sound: add an audio source in your encoder."))
        return found

    def _pace_warnings(self, now: float, bitrate: float) -> list[tuple[str, str]]:
        found = []
        interval = self._keyframe_seconds(now)
        if interval > SPARSE_KEYFRAME_SECONDS:
            words = f"Keyframes every {interval:.0f} s: set the keyframe interval to 2 s in OBS."
            found.append(("keyframes.sparse", words))
        if self._drift_ms > DRIFT_MS:
            words = f"The stream is {self._drift_ms / 1000:.0f} s behind: lower the bitrate or check your connection."
            found.append(("drift", words))
        if self._drift_ms < FAST_MS:
            found.append(("drift", "The encoder sends faster than real time: with ffmpeg, put -re before -i."))
        if bitrate > HIGH_KBPS:
            words = f"{bitrate / 1000:.0f} Mbit/s is more than many viewers can receive: 6 Mbit/s is plenty for 1080p."
            found.append(("bitrate.high", words))
        if self.jumps >= MANY_JUMPS:
            found.append(("timestamps", "The encoder's clock jumps: restart it, and avoid switching sources' clocks."))
        return found


def _side(value: object) -> int:
    """A number of pixels, when it can be one."""
    return int(value) if isinstance(value, float) and 0 < value <= LARGEST_SIDE else 0
