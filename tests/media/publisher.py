"""A real encoder for tests: ffmpeg draws a test picture, plays a tone and publishes both over RTMP."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache

import imageio_ffmpeg

RATE = 25
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100")
AAC = ("-c:a", "aac", "-b:a", "64k")
PUBLISH_SECONDS = 120  # longer than any test


@cache
def ffmpeg() -> str:
    """The ffmpeg that comes with the embedded servers; it is newer than those of distributions."""
    return shutil.which("ffmpeg7") or str(imageio_ffmpeg.get_ffmpeg_exe())


def command(
    url: str,
    *,
    keyframe_seconds: float = 1.0,
    size: str = "320x180",
    audio: Sequence[str] = (*SOUND, *AAC),
    video: Sequence[str] = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
    real_time: bool = True,
    seconds: float = PUBLISH_SECONDS,
) -> list[str]:
    interval = str(int(RATE * keyframe_seconds))
    pace = ["-re"] if real_time else []
    inputs = [*pace, "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={RATE}"]
    at = audio.index("-c:a") if "-c:a" in audio else len(audio)
    return [
        ffmpeg(), "-hide_banner", "-loglevel", "error", "-nostdin", *inputs, *audio[:at], "-t", str(seconds),
        *video, "-pix_fmt", "yuv420p", "-threads", "1", "-g", interval, "-keyint_min", interval, "-b:v", "300k",
        *audio[at:], "-f", "flv", url,
    ]  # fmt: skip


class Publisher:
    """A running encoder. `said` is what it complained about, known once it has ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def ended(self) -> int:
        """Wait for its end; its exit status."""
        _, errors = await self.process.communicate()
        self.said = errors.decode()
        return self.process.returncode or 0

    async def stop(self) -> None:
        """As a creator does who clicks on stop."""
        os.kill(self.process.pid, signal.SIGTERM)
        await self.ended()


@asynccontextmanager
async def publishing(url: str, **options: object) -> AsyncIterator[Publisher]:
    """Publish for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        *command(url, **options),  # type: ignore[arg-type]  # passed through
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Publisher(process)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
