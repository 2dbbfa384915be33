"""Small videos of every awkward kind, and what a strict player would see of what was made of them.

Every source counts its frames in its picture: frame `n` is grey of step `n % STEPS`. So a frame that is lost, doubled
or moved is seen, and not only that their number is right.
"""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from media.vod.encode import encode_chunk
from media.vod.plan import Plan, Probed, Segment
from tests.media.publisher import ffmpeg

STEPS = 20
COUNTING = f"geq=lum='30+10*mod(N\\,{STEPS})':cb=128:cr=128"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "20")


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture: when it is shown, which of the source's frames it is, whether a player can begin at it."""

    seconds: float
    step: int
    is_key: bool


async def draw(
    file: Path,
    *arguments: str,
    seconds: float = 6.0,
    rate: str = "25",
    size: str = "64x36",
    picture: str = COUNTING,
    codec: Sequence[str] = H264,
    sound: str | None = "sine=frequency=440:sample_rate=44100",
) -> Path:
    """A source; `arguments` are ffmpeg's for the output."""
    inputs = ["-f", "lavfi", "-i", f"color=size={size}:rate={rate}:duration={seconds},{picture}"]
    if sound:
        inputs += ["-f", "lavfi", "-i", f"{sound}:duration={seconds}", "-c:a", "aac", "-b:a", "64k"]
    await run("-threads", "1", *inputs, *codec, *arguments, str(file))
    return file


async def run(*arguments: str) -> None:
    """An ffmpeg of our own, that must succeed."""
    child = await asyncio.create_subprocess_exec(
        ffmpeg(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *arguments,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await child.communicate()
    assert child.returncode == 0, said.decode()


async def make(source: Path, probed: Probed, plan: Plan, out: Path, *names: str) -> list[Segment]:
    """Every chunk of these qualities, each in a folder of its own as several workers would, then put together."""
    made: list[Segment] = []
    for chunk in plan.chunks:
        folder = out / f"chunk-{chunk.number}"
        folder.mkdir(parents=True)
        told: list[Segment] = []
        back = await encode_chunk(
            source, probed, plan, chunk, names, folder,
            ffmpeg=ffmpeg(), on_segment=told.append, on_progress=lambda _: None,
        )  # fmt: skip
        assert sorted(told, key=order) == sorted(back, key=order)
        for name in names:
            (out / name).mkdir(exist_ok=True)
            for file in (folder / name).iterdir():
                if (kept := out / name / file.name).exists():
                    assert kept.read_bytes() == file.read_bytes(), "chunks disagree about a header"
                file.rename(kept)
        made += back
    return sorted(made, key=order)


def order(segment: Segment) -> tuple[str, int]:
    return segment.rendition, segment.number


def played(out: Path, name: str, numbers: Sequence[int]) -> list[Frame]:
    """What a player shows of some segments, put one behind the other after the header."""
    file = out / f"{name}.played.mp4"
    file.write_bytes(
        (out / name / "init.mp4").read_bytes() + b"".join((out / name / f"{n}.m4s").read_bytes() for n in numbers)
    )
    with av.open(str(file)) as container:
        frames = list(container.decode(video=0))
    # FFmpeg shows all later when composition offsets are negative (as CMAF wants them); players go by what is written.
    first = next(frame for frame in frames if frame.key_frame)
    shift = seconds_of(first) - written(out / name / "init.mp4", out / name / f"{numbers[0]}.m4s")
    return [Frame(round(seconds_of(frame) - shift, 6), step_of(frame), bool(frame.key_frame)) for frame in frames]


def seconds_of(frame: av.VideoFrame | av.AudioFrame) -> float:
    assert frame.pts is not None
    assert frame.time_base is not None
    return float(frame.pts * frame.time_base)


def written(header: Path, segment: Path) -> float:
    """When the first picture of a segment is shown: `tfdt` plus the first composition offset (ISO/IEC 14496-12)."""
    head, data = header.read_bytes(), segment.read_bytes()
    at = head.index(b"mdhd") + 4
    (scale,) = struct.unpack_from(">I", head, at + (20 if head[at] else 12))
    at = data.index(b"tfdt") + 4
    (begin,) = struct.unpack_from(">Q" if data[at] else ">I", data, at + 4)
    at = data.index(b"trun") + 4
    (flags,) = struct.unpack_from(">I", data, at)
    if not flags & 0x800:
        return float(begin / scale)
    row = 4 * bin(flags & 0xF00).count("1")
    (offset,) = struct.unpack_from(">i", data, at + 8 + 4 * bin(flags & 0x5).count("1") + row - 4)
    return float((begin + offset) / scale)


def step_of(frame: av.VideoFrame) -> int:
    """Which frame it is, from the grey in its middle."""
    plane = frame.planes[0]
    middle = frame.height // 2 * plane.line_size + frame.width // 2
    return round((memoryview(plane)[middle] - 30) / 10) % STEPS


def heard(out: Path, numbers: Sequence[int]) -> tuple[float, float, int]:
    """When sound begins and ends, and how many channels it has."""
    file = out / "audio.played.mp4"
    file.write_bytes(
        (out / "audio/init.mp4").read_bytes() + b"".join((out / f"audio/{n}.m4s").read_bytes() for n in numbers)
    )
    with av.open(str(file)) as container:
        frames = list(container.decode(audio=0))
        last = frames[-1]
        end = seconds_of(last) + last.samples / last.sample_rate
        return seconds_of(frames[0]), end, last.layout.nb_channels
