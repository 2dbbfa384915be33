"""Which qualities a source gives, and where they are cut: pure decisions.

All qualities are cut at the same moments, so that a player may change between any two segments. A source that is what
we would make anyhow is kept as the highest quality, and then its own key frames are the moments.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction

from media.vod.plan import AudioTrack, Chunk, Plan, PlannedAudio, PlannedRendition, Probed, VideoTrack

SEGMENT_SECONDS = 2.0
CHUNK_OVER_SECONDS = 300.0
CHUNK_SECONDS = 60.0
MAX_FPS = 60.0
AUDIO_BPS = 128_000

# Short side, bits a second at 30 frames; faster pictures get half as much again.
RUNGS: tuple[tuple[int, int], ...] = (
    (240, 400_000),
    (360, 800_000),
    (480, 1_400_000),
    (720, 2_800_000),
    (1080, 5_000_000),
)
FAST_FPS = 40.0
FAST_FACTOR = 1.5
# A source may have this much more than we would give it and still be kept as it is: encoding anew would cost quality.
KEEP_FACTOR = 2.0
MAX_KEYFRAME_GAP_SECONDS = 6.0
MIN_KEYFRAME_GAP_SECONDS = 0.4  # on average; below, nearly every frame is one
# In these a seek finds the very key frame one asks for. In others it lands at the one before (Matroska: ffmpeg seeks
# 0.13 s early when pictures are reordered) or anywhere, and chunks would overlap or miss their first pictures.
WITH_INDEX = "mov"
TINY_SECONDS = 0.25  # a last segment shorter than this joins the one before

# H.264 levels by luma samples a frame and a second (ITU-T H.264, table A-1, in macroblocks of 256).
LEVELS: tuple[tuple[int, int, int], ...] = (
    (21, 792, 19_800), (30, 1620, 40_500), (31, 3600, 108_000), (40, 8192, 245_760), (42, 8704, 522_240),
    (51, 36_864, 983_040), (52, 36_864, 2_073_600),
)  # fmt: skip


def plan(
    probed: Probed,
    *,
    chunk_over_seconds: float = CHUNK_OVER_SECONDS,
    chunk_seconds: float = CHUNK_SECONDS,
    keep: bool = True,
) -> Plan:
    """What to make of a source. The same source always gives the same plan. `keep` False: all is encoded anew."""
    video, duration = probed.video, probed.duration_seconds
    in_chunks = duration > chunk_over_seconds
    kept = keep and may_be_kept(video, duration) and (not in_chunks or WITH_INDEX in probed.container)
    renditions = tuple(_renditions(video, keep=kept))
    cuts = tuple(_cuts_at(video.keyframes, duration) if kept else _even_cuts(duration, rate_of(video)))
    chunks = tuple(_chunks(cuts, duration, chunk_seconds if in_chunks else math.inf))
    return Plan(duration_seconds=duration, cuts=cuts, renditions=renditions, audio=_audio(probed.audio), chunks=chunks)


def rate_of(video: VideoTrack) -> Fraction:
    """Frames a second of what we encode: 29.97 is 30000/1001."""
    fps = min(video.fps, MAX_FPS)
    for whole in (24, 30, 48, 60):
        if abs(fps - whole * 1000 / 1001) < 0.005:
            return Fraction(whole * 1000, 1001)
    return Fraction(round(fps)) if abs(fps - round(fps)) < 0.02 else Fraction(fps).limit_denominator(100)


def may_be_kept(video: VideoTrack, duration: float) -> bool:
    """Whether the picture is, as it stands, what we would make: then it is only packaged anew."""
    if video.codec != "h264" or video.pixel_format not in ("yuv420p", "yuvj420p"):
        return False
    if video.rotation or video.interlaced or video.anamorphic or video.fps > MAX_FPS:
        return False
    side = min(video.width, video.height)
    most = _bitrate(min(side, RUNGS[-1][0]), video.fps) * KEEP_FACTOR
    return side <= RUNGS[-1][0] and video.bitrate_bps <= most and _regular(video.keyframes, duration)


def _regular(keyframes: Sequence[float], duration: float) -> bool:
    if not keyframes or keyframes[0] > 0.05:
        return False
    gaps = [end - start for start, end in zip(keyframes, [*keyframes[1:], duration], strict=True)]
    return max(gaps) <= MAX_KEYFRAME_GAP_SECONDS and duration / len(gaps) >= MIN_KEYFRAME_GAP_SECONDS


def _renditions(video: VideoTrack, *, keep: bool) -> Iterator[PlannedRendition]:
    """Lowest first. A rung just below the source's own height would differ from it by nothing one sees."""
    side = min(video.width, video.height)
    own = min(side, RUNGS[-1][0])
    sides = [rung for rung, _ in RUNGS if rung < own * 0.9] + [own]
    for short in sides:
        top = short == own
        size = (video.width, video.height) if keep and top else _scaled(video, short)
        fps = float(rate_of(video))
        bitrate = video.bitrate_bps if keep and top else _bitrate(short, fps)
        yield PlannedRendition(
            name=f"{short}p", width=size[0], height=size[1], fps=round(fps, 3), bitrate_bps=max(64_000, bitrate),
            codecs=codecs_of(*size, fps), copy=keep and top,
        )  # fmt: skip


def _scaled(video: VideoTrack, short: int) -> tuple[int, int]:
    """So large that the short side is `short`; both even, as 4:2:0 demands, and no larger than the source."""
    factor = short / min(video.width, video.height)
    return _even(video.width, factor), _even(video.height, factor)


def _even(pixels: int, factor: float) -> int:
    return max(2, min(round(pixels * factor / 2) * 2, pixels // 2 * 2))


def _bitrate(short: int, fps: float) -> int:
    """On the line between the rungs."""
    factor = FAST_FACTOR if fps > FAST_FPS else 1.0
    below = [rung for rung in RUNGS if rung[0] <= short]
    above = [rung for rung in RUNGS if rung[0] >= short]
    if not below:
        return int(above[0][1] * (short / above[0][0]) ** 2 * factor)
    if not above:
        return int(below[-1][1] * factor)
    (low, low_bps), (high, high_bps) = below[-1], above[0]
    share = (short - low) / (high - low) if high > low else 0.0
    return int((low_bps + (high_bps - low_bps) * share) * factor)


def codecs_of(width: int, height: int, fps: float) -> str:
    """RFC 6381 for the master playlist: high profile at the level of its size."""
    return f"avc1.6400{level_of(width, height, fps):02x}"


def level_of(width: int, height: int, fps: float) -> int:
    """The lowest of `LEVELS` that holds the picture, times ten."""
    blocks = math.ceil(width / 16) * math.ceil(height / 16)
    for level, most, a_second in LEVELS:
        if blocks <= most and blocks * fps <= a_second:
            return level
    return LEVELS[-1][0]


def _even_cuts(duration: float, rate: Fraction) -> Iterator[float]:
    """Every two seconds, on frames: the grid of frames is the same for every chunk of the video."""
    yield 0.0
    number = 1
    while (cut := float(Fraction(math.ceil(number * SEGMENT_SECONDS * rate)) / rate)) < duration - TINY_SECONDS:
        yield round(cut, 6)
        number += 1


def _cuts_at(keyframes: Sequence[float], duration: float) -> Iterator[float]:
    """At the source's key frames, the first one two seconds or more after the last cut."""
    last = 0.0
    yield last
    for moment in keyframes:
        if moment - last >= SEGMENT_SECONDS - 0.01 and moment < duration - TINY_SECONDS:
            last = moment
            yield moment


def _chunks(cuts: Sequence[float], duration: float, seconds: float) -> Iterator[Chunk]:
    """A last chunk shorter than half of the others joins the one before."""
    first = number = 0
    while first < len(cuts):
        end = bisect_left(cuts, cuts[first] + seconds - 0.01, lo=first + 1)
        if end < len(cuts) and duration - cuts[end] < seconds / 2:
            end = len(cuts)
        yield Chunk(number=number, first=first, end=end)
        first, number = end, number + 1


def _audio(track: AudioTrack | None) -> PlannedAudio | None:
    if track is None:
        return None
    return PlannedAudio(bitrate_bps=AUDIO_BPS)
