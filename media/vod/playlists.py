"""The playlists of a video, growing and whole: pure text (RFC 8216, protocol version 7)."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from media.vod.plan import AUDIO, Plan, PlannedRendition, Segment

AUDIO_GROUP = "sound"
UNMEASURED = 1.5  # a segment of two seconds at most, with a buffer of one second at the capped rate


def media_playlist(plan: Plan, rendition: str, segments: Sequence[Segment], *, ended: bool) -> str:
    """Of the segments from the first to the last before a gap; `EVENT` while more will come.

    The target duration comes from the plan, so that it never changes while the playlist grows (RFC 8216, 4.3.3.1).
    """
    lines = [
        "#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target_seconds(plan)}", "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}", "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{rendition}/init.mp4"',
    ]  # fmt: skip
    for segment in unbroken(segments):
        lines += [f"#EXTINF:{segment.duration_seconds:.6f},", f"{rendition}/{segment.number}.m4s"]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def master_playlist(plan: Plan, ready: Mapping[str, Sequence[Segment]]) -> str:
    """Of the qualities that have segments, lowest first, with what these were measured to need. The sound's own
    segments, when `ready` has them, count towards what each quality needs."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if plan.audio is not None:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",'
            f'URI="{AUDIO}.m3u8"'
        )
    for rendition in plan.renditions:
        if ready.get(rendition.name):
            lines += _variant(plan, rendition, ready)
    return "\n".join(lines) + "\n"


def unbroken(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Those before the first gap, in order."""
    for expected, segment in enumerate(sorted(segments, key=lambda each: each.number)):
        if segment.number != expected:
            return
        yield segment


def target_seconds(plan: Plan) -> int:
    """The longest a segment can be, rounded as the protocol does; sound is cut up to a piece later than the picture."""
    ends = [*plan.cuts[1:], plan.duration_seconds]
    longest = max(end - start for start, end in zip(plan.cuts, ends, strict=True))
    return max(1, math.ceil(longest + 0.3))


def _variant(plan: Plan, rendition: PlannedRendition, segments: Mapping[str, Sequence[Segment]]) -> Iterator[str]:
    peak, average = _rates(segments.get(rendition.name, ()), rendition.bitrate_bps)
    codecs, audio = rendition.codecs, ""
    if plan.audio is not None:
        sound_peak, sound_average = _rates(segments.get(AUDIO, ()), plan.audio.bitrate_bps)
        peak, average = peak + sound_peak, average + sound_average
        codecs, audio = f"{codecs},{plan.audio.codecs}", f',AUDIO="{AUDIO_GROUP}"'
    yield (
        f'#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{codecs}",'
        f"RESOLUTION={rendition.width}x{rendition.height},FRAME-RATE={rendition.fps:.3f}{audio}"
    )
    yield f"{rendition.name}.m3u8"


def _rates(segments: Sequence[Segment], planned_bps: int) -> tuple[int, int]:
    """Bits a second of the most demanding segment and on average; very short segments say nothing about a rate."""
    seconds = sum(each.duration_seconds for each in segments)
    if not seconds:
        return int(planned_bps * UNMEASURED), planned_bps
    average = int(sum(each.size_bytes for each in segments) * 8 / seconds)
    rates = [each.size_bytes * 8 / each.duration_seconds for each in segments if each.duration_seconds >= 0.5]
    return max(average, int(max(rates, default=0.0))), average
