"""Makes the qualities of a stretch of video, and its sound: confined ffmpegs, and segments told of as they are whole.

ffmpeg's HLS muxer cuts at every key frame and we ask for key frames at the plan's cuts only; a source that is kept has
more of its own, and its pieces are gathered. Pieces are then moved onto the time line of the whole video
(`retiming.py`), so the chunks of a video fit without a seam.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from media.errors import FragmentsBroken
from media.packaging.boxes import boxes_at
from media.vod.confine import FIRST_NICENESS, INPUT_GUARD, LATER_NICENESS, Limits, run_confined
from media.vod.errors import ChildFailed, EncodeFailed, Truncated, encoding_failed
from media.vod.ladder import rate_of
from media.vod.plan import AUDIO, Chunk, Plan, PlannedRendition, Probed, Segment
from media.vod.retiming import Retiming, segment_of

OnSegment = Callable[[Segment], object]
OnProgress = Callable[[float], object]

SAMPLE_RATE = 48_000
PRIMING_SAMPLES = 1024  # what ffmpeg's AAC encoder puts before the sound
AUDIO_PIECE_SECONDS = 0.2  # pieces are gathered into segments, so cuts of sound are this near to those of the picture
TIMESCALE = 90_000
# How far before its beginning a chunk is read: from there the first picture can be decoded whole, open groups too.
PREROLL_SECONDS = 12.0
MAX_PAD_SECONDS = 2.0  # a picture may end so long before its file says; the last one stays
WHOLE = 0.95
SLOWEST = 60.0  # times real time, with half an hour to begin with: slower than this is not encoding but hanging
MEMORY_BYTES = 8 << 30
# Else ffmpeg starts as many as there are cores for each codec, whose stacks alone may pass the limit of memory.
THREADS = "4"


async def encode_chunk(  # noqa: PLR0913  # each says another thing, none of them goes without the others
    source: Path,
    probed: Probed,
    plan: Plan,
    chunk: Chunk,
    renditions: Sequence[str],
    out: Path,
    *,
    ffmpeg: str,
    on_segment: OnSegment,
    on_progress: OnProgress,
) -> list[Segment]:
    """Write `out/<rendition>/init.mp4` and `out/<rendition>/<number>.m4s` of the chunk's segments.

    `on_segment` hears of each as soon as it is whole on the disk, `on_progress` the seconds of the chunk that are done.
    Raises `EncodeFailed`, `ScratchFull`, `Truncated` when the file ends early; cancelled, it leaves no child.
    """
    wanted = [rendition for rendition in plan.renditions if rendition.name in renditions]
    start = plan.cuts[chunk.first] or _first_picture(probed, plan)
    gatherers = [
        Gatherer(out, rendition.name, plan, range(chunk.first, chunk.end), start, on_segment) for rendition in wanted
    ]
    command = (*_common(ffmpeg), *_picture(source, probed, plan, chunk, wanted))
    first = chunk.number == 0 and plan.renditions[0] in wanted
    niceness = FIRST_NICENESS if first else LATER_NICENESS
    await _run(command, out, gatherers, _length(plan, chunk), on_progress, niceness)
    return _whole(gatherers, probed)


async def encode_audio(
    source: Path,
    probed: Probed,
    plan: Plan,
    out: Path,
    *,
    ffmpeg: str,
    on_segment: OnSegment,
    on_progress: OnProgress,
) -> list[Segment]:
    """Write `out/audio/init.mp4` and a segment for each of the plan's cuts; stereo AAC of the picture's length."""
    gatherer = Gatherer(out, AUDIO, plan, range(len(plan.cuts)), 0.0, on_segment)
    command = (*_common(ffmpeg), *_sound(source, probed, plan))
    await _run(command, out, [gatherer], plan.duration_seconds, on_progress)
    return _whole([gatherer], probed)


def check_complete(probed: Probed, seconds: float) -> None:
    """Raises `Truncated` when what came out ends well before what was there: ffmpeg calls that a success."""
    if seconds < probed.duration_seconds * WHOLE and seconds < probed.duration_seconds - MAX_PAD_SECONDS:
        raise Truncated


class Gatherer:
    """Turns ffmpeg's pieces of one rendition into the plan's segments."""

    def __init__(
        self, out: Path, name: str, plan: Plan, numbers: range, start_seconds: float, on_segment: OnSegment
    ) -> None:
        self.name = name
        self.segments: list[Segment] = []
        self.pieces = out / f"{name}.pieces"
        self._folder = out / name
        self._cuts, self._duration, self._numbers = plan.cuts, plan.duration_seconds, numbers
        self._start = start_seconds
        self._on_segment = on_segment
        self._retiming: Retiming | None = None
        self._next_piece = 0
        self._number = numbers.start
        self._gathered: list[bytes] = []
        self._ticks = 0
        for folder in (self._folder, self.pieces):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def seconds(self) -> float:
        """How much is whole."""
        return sum(segment.duration_seconds for segment in self.segments)

    @property
    def is_last(self) -> bool:
        """Whether the end of the video is among its segments."""
        return self._numbers.stop == len(self._cuts)

    @property
    def end_seconds(self) -> float:
        """Where the last segment ends in the whole video."""
        last = self.segments[-1]
        return self._cuts[last.number] + last.duration_seconds

    @property
    def is_complete(self) -> bool:
        return self._number >= self._numbers.stop

    def look(self, *, ended: bool = False) -> None:
        """Take what ffmpeg has finished since. Raises `FragmentsBroken`."""
        while (file := self.pieces / f"{self._next_piece}.m4s").exists():
            self._take(file.read_bytes())
            file.unlink()
            self._next_piece += 1
        if ended and self._gathered:
            self._emit()

    def _take(self, data: bytes) -> None:
        if self._retiming is None:
            header = (self.pieces / "init.mp4").read_bytes()
            (self._folder / "init.mp4").write_bytes(header)
            self._retiming = Retiming(_timescale(header), self._start)
        piece = self._retiming.place(data)
        scale = self._retiming.timescale
        number = segment_of(self._cuts, piece.begin / scale)
        if number > self._number and self._gathered:
            self._emit()
        if not self.is_complete and number < self._numbers.stop:
            self._gathered.append(piece.data)
            self._ticks += piece.ticks
            end = self._cuts[self._number + 1] if self._number + 1 < len(self._cuts) else None
            if end is not None and segment_of(self._cuts, (piece.begin + piece.ticks) / scale) > self._number:
                self._emit()

    def _emit(self) -> None:
        assert self._retiming is not None  # noqa: S101  # something was taken
        data = b"".join(self._gathered)
        (self._folder / f"{self._number}.m4s").write_bytes(data)
        seconds = self._ticks / self._retiming.timescale
        segment = Segment(
            rendition=self.name, number=self._number, duration_seconds=round(seconds, 6), size_bytes=len(data)
        )
        self.segments.append(segment)
        self._gathered, self._ticks = [], 0
        self._number += 1
        self._on_segment(segment)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Seconds of the whole video; `end` None for the last chunk."""

    start: float
    end: float | None


async def _run(
    command: tuple[str, ...],
    out: Path,
    gatherers: Sequence[Gatherer],
    seconds: float,
    on_progress: OnProgress,
    niceness: int = FIRST_NICENESS,
) -> None:
    done = 0.0

    def heard(line: str) -> None:
        name, _, value = line.partition("=")
        nonlocal done
        if name == "out_time_us" and value.isdigit():  # counts from what was written when it was first asked for
            done = max(done, int(value) / 1e6)
        if name == "progress":
            for gatherer in gatherers:
                gatherer.look()
            tell()

    def tell() -> None:
        on_progress(min(seconds, max(done, min(gatherer.seconds for gatherer in gatherers))))

    wall = 1800.0 + seconds * SLOWEST
    limits = Limits(
        wall_seconds=wall, cpu_seconds=int(wall), file_bytes=8 << 30, memory_bytes=MEMORY_BYTES, stall_seconds=60.0,
        niceness=niceness,
    )  # fmt: skip
    try:
        await run_confined(command, folder=out, limits=limits, on_line=heard)
        for gatherer in gatherers:
            gatherer.look(ended=True)
        tell()
    except ChildFailed as failed:
        raise encoding_failed(failed) from failed
    except FragmentsBroken as broken:
        raise EncodeFailed(why="fragments") from broken


def _whole(gatherers: Sequence[Gatherer], probed: Probed) -> list[Segment]:
    """Everything that was made, if that is everything. A file that gives less than it says is truncated."""
    if all(gatherer.is_complete for gatherer in gatherers):
        for gatherer in gatherers:
            if gatherer.is_last:
                check_complete(probed, gatherer.end_seconds)
        return [segment for gatherer in gatherers for segment in gatherer.segments]
    if any(gatherer.segments for gatherer in gatherers):
        raise Truncated
    raise EncodeFailed(why="nothing came out")


def _common(ffmpeg: str) -> tuple[str, ...]:
    return (ffmpeg, "-hide_banner", "-y", "-nostdin", "-loglevel", "error", "-nostats", "-progress", "pipe:1",
            "-stats_period", "0.05", "-filter_threads", THREADS, "-filter_complex_threads", THREADS)  # fmt: skip


def _picture(
    source: Path, probed: Probed, plan: Plan, chunk: Chunk, renditions: Sequence[PlannedRendition]
) -> tuple[str, ...]:
    """One decoder, a scaler and an encoder for each rendition, and the copy if it is among them."""
    stretch = _Stretch(plan.cuts[chunk.first], plan.cuts[chunk.end] if chunk.end < len(plan.cuts) else None)
    encoded = [rendition for rendition in renditions if not rendition.copy]
    keep_frames = any(rendition.copy for rendition in plan.renditions)
    arguments: list[str] = []
    if encoded:
        arguments += _read_from(source, probed, max(0.0, stretch.start - PREROLL_SECONDS))
        arguments += ["-filter_complex", _graph(probed, stretch, encoded, plan, keep_frames=keep_frames)]
    if copied := [rendition for rendition in renditions if rendition.copy]:
        # A little late rather than early: seeking goes back to the key frame at or before.
        arguments += _read_from(source, probed, stretch.start + 0.001 if stretch.start else 0.0)
    forced = ",".join(f"{max(0.0, cut - 0.002):.6f}" for cut in plan.cuts[chunk.first : chunk.end])
    for number, rendition in enumerate(encoded):
        arguments += ["-map", f"[v{number}]", *_x264(rendition), "-force_key_frames", forced, *_muxed(rendition.name)]
    for rendition in copied:
        arguments += ["-map", f"{1 if encoded else 0}:v:0", "-c:v", "copy"]
        # A second more than is ours: pictures are not stored in their order. The next chunk's are left out again.
        arguments += ["-to", f"{stretch.end + probed.start_seconds + 1.0:.6f}"] if stretch.end is not None else []
        arguments += _muxed(rendition.name)
    return tuple(arguments)


def _read_from(source: Path, probed: Probed, seconds: float) -> list[str]:
    seek = (
        ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{seconds + probed.start_seconds:.6f}"]
        if seconds > 0
        else []
    )
    return [*INPUT_GUARD, "-threads", THREADS, *seek, "-copyts", "-i", str(source)]


def _graph(
    probed: Probed, stretch: _Stretch, renditions: Sequence[PlannedRendition], plan: Plan, *, keep_frames: bool
) -> str:
    """Frames of the stretch alone, with times of the whole video from zero, in every size.

    Where the source is kept, its frames stay as they are, and those up to half a frame before a cut are before it; else
    they go onto the one grid of the plan's rate, whatever the chunk. (`trim` counts in frames there: a bound between
    two frames would be rounded.)
    """
    rate: Fraction = rate_of(probed.video)
    half = float(1 / rate) / 2
    end = stretch.end if stretch.end is not None else plan.duration_seconds
    steps = [f"setpts=PTS-{probed.start_seconds:.6f}/TB"]
    if probed.video.interlaced:
        steps.append("bwdif=mode=send_frame")
    if keep_frames:
        last = f":end={end - half:.6f}" if stretch.end is not None else ""
        steps.append(f"trim=start={max(0.0, stretch.start - half):.6f}{last}")
    else:
        steps.append(f"fps={rate}:start_time={stretch.start:.6f}:round=near")
        if stretch.end is None:
            steps.append(f"tpad=stop_mode=clone:stop_duration={MAX_PAD_SECONDS}")
        steps.append(f"trim=end={end:.6f}")
    steps.append(f"split={len(renditions)}")
    graph = f"[0:v:0]{','.join(steps)}{''.join(f'[s{number}]' for number in range(len(renditions)))}"
    for number, rendition in enumerate(renditions):
        graph += (
            f";[s{number}]scale={rendition.width}:{rendition.height}:flags=bicubic,setsar=1,format=yuv420p[v{number}]"
        )
    return graph


def _x264(rendition: PlannedRendition) -> list[str]:
    """Key frames where we say and nowhere else; the rate capped over one second."""
    kbps = rendition.bitrate_bps // 1000
    return [
        "-c:v", "libx264", "-threads", THREADS, "-preset", "superfast", "-profile:v", "high", "-crf", "23",
        "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k",
        "-g", "100000", "-keyint_min", "1", "-sc_threshold", "0", "-forced-idr", "1",
        "-fps_mode", "passthrough", "-enc_time_base", f"1:{TIMESCALE}",
    ]  # fmt: skip


def _sound(source: Path, probed: Probed, plan: Plan) -> tuple[str, ...]:
    """As much sound as there is picture: silence where there is none. What the encoder puts before is taken off."""
    chain = (
        f"asetpts=PTS-{probed.start_seconds:.6f}/TB,aresample={SAMPLE_RATE}:async=1:first_pts=0,"
        f"aformat=channel_layouts=stereo,apad,atrim=start_sample={PRIMING_SAMPLES}:end={plan.duration_seconds:.6f},"
        "asetpts=PTS-STARTPTS"
    )
    bitrate = plan.audio.bitrate_bps if plan.audio else 0
    return (
        *_read_from(source, probed, 0.0), "-map", "0:a:0", "-af", chain, "-c:a", "aac", "-b:a", str(bitrate),
        *_muxed(AUDIO, AUDIO_PIECE_SECONDS),
    )  # fmt: skip


def _muxed(name: str, seconds: float = 0.001) -> list[str]:
    """Pieces that begin with a key frame, each under its own name once it is whole."""
    folder = f"{name}.pieces"
    return [
        "-f", "hls", "-hls_time", str(seconds), "-hls_list_size", "1", "-hls_segment_type", "fmp4",
        "-hls_flags", "temp_file", "-hls_fmp4_init_filename", "init.mp4",
        "-hls_segment_options", f"movflags=+frag_discont:use_editlist=0:video_track_timescale={TIMESCALE}",
        "-start_number", "0", "-hls_segment_filename", f"{folder}/%d.m4s", f"{folder}/pieces.m3u8",
    ]  # fmt: skip


def _first_picture(probed: Probed, plan: Plan) -> float:
    """Frames of a source that is kept stay where they are, so the first may come a little after the sound."""
    kept = any(rendition.copy for rendition in plan.renditions)
    return max(0.0, probed.video.keyframes[0]) if kept and probed.video.keyframes else 0.0


def _length(plan: Plan, chunk: Chunk) -> float:
    end = plan.cuts[chunk.end] if chunk.end < len(plan.cuts) else plan.duration_seconds
    return end - plan.cuts[chunk.first]


def _timescale(header: bytes) -> int:
    """Ticks a second of the one track in a header."""
    for start, _ in boxes_at(header, b"moov", b"trak", b"mdia", b"mdhd"):
        at = start + (20 if header[start] else 12)
        return int.from_bytes(header[at : at + 4], "big") or 1
    raise FragmentsBroken
