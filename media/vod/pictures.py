"""Still pictures of a video: the one that lists show, and the sheets a player shows above its seek bar."""

import math
from dataclasses import dataclass
from pathlib import Path

from media.vod.confine import INPUT_GUARD, LATER_NICENESS, Limits, run_confined
from media.vod.errors import ChildFailed, EncodeFailed, encoding_failed
from media.vod.plan import Probed

POSTER_WIDTH = 1280
# The most typical of this many frames from a fifth into the video on, of those that are not black.
POSTER_AT = 0.2
POSTER_FRAMES = 40
POSTER_SECONDS = "20"
NOT_BLACK = "blackframe=amount=0:threshold=32,metadata=select:key=lavfi.blackframe.pblack:value=98:function=less"

TILE_WIDTH = 160
COLUMNS = ROWS = 10
MOST_TILES = 300
SHORTEST_INTERVAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Sheets:
    """How a storyboard is laid out. Tile `n` shows the moment `(n + 1/2) * interval_seconds`."""

    interval_seconds: float
    tiles: int
    width: int
    height: int

    @property
    def count(self) -> int:
        return math.ceil(self.tiles / (COLUMNS * ROWS))


def sheets_of(probed: Probed) -> Sheets:
    """At most 300 tiles, at least a second apart."""
    duration = max(0.1, probed.duration_seconds)
    interval = max(SHORTEST_INTERVAL_SECONDS, duration / MOST_TILES)
    height = max(2, round(TILE_WIDTH * probed.video.height / probed.video.width / 2) * 2)
    return Sheets(interval, max(1, math.ceil(duration / interval - 0.01)), TILE_WIDTH, min(height, 2 * TILE_WIDTH))


def cues_of(sheets: Sheets, duration_seconds: float) -> str:
    """WebVTT whose cues name a part of a sheet each (`storyboard-0.jpg#xywh=0,0,160,90`)."""
    lines = ["WEBVTT", ""]
    for tile in range(sheets.tiles):
        start, end = tile * sheets.interval_seconds, min(duration_seconds, (tile + 1) * sheets.interval_seconds)
        sheet, place = divmod(tile, COLUMNS * ROWS)
        x, y = place % COLUMNS * sheets.width, place // COLUMNS * sheets.height
        lines += [
            f"{_moment(start)} --> {_moment(max(end, start + 0.001))}",
            f"storyboard-{sheet}.jpg#xywh={x},{y},{sheets.width},{sheets.height}",
            "",
        ]
    return "\n".join(lines)


async def make_poster(source: Path, probed: Probed, out: Path, *, ffmpeg: str) -> Path:
    """`out/poster.jpg`, at most 1280 wide. Raises `EncodeFailed`, `ScratchFull`."""
    video = probed.video
    width = max(2, min(POSTER_WIDTH, video.width) // 2 * 2)
    shape = f"scale={width}:{max(2, round(width * video.height / video.width / 2) * 2)},setsar=1"
    seek = probed.duration_seconds * POSTER_AT
    best = f"{shape},format=yuv420p,{NOT_BLACK},thumbnail={POSTER_FRAMES},format=yuvj420p"
    await _ffmpeg(_poster(ffmpeg, source, best, "-noaccurate_seek", "-ss", f"{seek:.3f}", "-t", POSTER_SECONDS), out)
    if not (out / "poster.jpg").exists():  # all black, or nothing that can be shown is there: take the first
        await _ffmpeg(_poster(ffmpeg, source, f"{shape},format=yuvj420p"), out)
    return _made(out / "poster.jpg")


def _poster(ffmpeg: str, source: Path, chain: str, *where: str) -> tuple[str, ...]:
    return (
        ffmpeg, *_QUIET, *where, *INPUT_GUARD, "-i", str(source), "-map", "0:v:0", "-vf", chain, "-frames:v", "1",
        "-q:v", "4", "poster.jpg",
    )  # fmt: skip


async def make_storyboard(source: Path, probed: Probed, out: Path, *, ffmpeg: str) -> list[Path]:
    """`out/storyboard-<n>.jpg` and `out/storyboard.vtt`, the sheets first.

    Only key frames are decoded (23 times as quick, measured); each tile shows the last one before its moment.
    """
    sheets = sheets_of(probed)
    size = f"{sheets.width}:{sheets.height}"
    tile = f"scale={size}:force_original_aspect_ratio=decrease,pad={size}:-1:-1"
    chain = (
        f"setpts=PTS-STARTPTS,fps=1/{sheets.interval_seconds:.6f}:round=down:eof_action=pass,"
        f"tpad=stop_mode=clone:stop=-1,trim=end_frame={sheets.tiles},{tile},setsar=1,format=yuvj420p,"
        f"tile={COLUMNS}x{min(ROWS, math.ceil(sheets.tiles / COLUMNS))}"
    )
    await _ffmpeg(
        (ffmpeg, *_QUIET, "-skip_frame", "nokey", *INPUT_GUARD, "-i", str(source), "-map", "0:v:0", "-vf", chain,
         "-frames:v", str(sheets.count), "-fps_mode", "passthrough", "-q:v", "6", "-start_number", "0",
         "storyboard-%d.jpg"), out,
    )  # fmt: skip
    cues = out / "storyboard.vtt"
    cues.write_text(cues_of(sheets, probed.duration_seconds))
    return [*(_made(out / f"storyboard-{number}.jpg") for number in range(sheets.count)), cues]


_QUIET = ("-hide_banner", "-y", "-nostdin", "-loglevel", "error", "-nostats", "-progress", "pipe:1")


async def _ffmpeg(command: tuple[str, ...], out: Path) -> None:
    limits = Limits(
        wall_seconds=600.0, cpu_seconds=600, file_bytes=64 << 20, stall_seconds=60.0, niceness=LATER_NICENESS
    )
    try:
        await run_confined(command, folder=out, limits=limits)
    except ChildFailed as failed:
        raise encoding_failed(failed) from failed


def _made(file: Path) -> Path:
    if not file.exists():
        raise EncodeFailed(why=f"no {file.name}")
    return file


def _moment(seconds: float) -> str:
    """3725.5 -> "01:02:05.500"."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
