"""One ffmpeg for each stream: FLV goes in, fragmented MP4 comes out, nothing is encoded anew.

The child dies with us, talks to nobody (`-protocol_whitelist pipe`) and takes 33 MB and 0.7 % of a core at 720p.
"""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable

from infra.children import ends_with_us
from infra.logs import get_logger
from media.errors import EncoderDied, FragmentsBroken
from media.ingest import flv
from media.ingest.flv import Tag
from media.packaging.boxes import Fragment, FragmentReader, Header
from media.packaging.packager import Profile

READ_BYTES = 256 << 10
STUCK_SECONDS = 5.0  # ffmpeg takes nothing for that long: it hangs
FINISH_SECONDS = 2.0
MAX_GOPS = 1000
SHOWN_ERROR_CHARACTERS = 500

log = get_logger(__name__)

FragmentSink = Callable[[Header | Fragment, bool], None]  # the second says whether a keyframe follows


class GopLedger:
    """Knows, when a fragment comes out, whether the next frame is a keyframe: it counted them going in. Pure.

    Without it a segment is known to be whole only with the part after its last one, and the preload hint is wrong
    once in every segment.
    """

    def __init__(self) -> None:
        self._lengths: deque[int] = deque(maxlen=MAX_GOPS)  # frames from keyframe to keyframe, in order
        self._entering = 0
        self._leaving = 0

    def entered(self, *, keyframe: bool) -> None:
        """A frame went in."""
        if keyframe and self._entering:
            self._lengths.append(self._entering)
            self._entering = 0
        self._entering += 1

    def left(self, *, independent: bool, frames: int) -> bool:
        """A fragment came out; True when a keyframe is next."""
        if independent and self._leaving:
            # The group before ended otherwise than we counted: ffmpeg left a frame out.
            if self._lengths:
                self._lengths.popleft()
            self._leaving = 0
        self._leaving += frames
        if self._lengths and self._lengths[0] == self._leaving:
            self._lengths.popleft()
            self._leaving = 0
            return True
        return False


def command(ffmpeg: str, profile: Profile) -> tuple[str, ...]:
    """The flags that matter. Never `-fflags nobuffer`: it drops the frames that were read while probing (a hole of
    1.7 s, measured). `-analyzeduration 1`: the headers come first, so there is nothing to analyse."""
    return (
        ffmpeg, "-hide_banner", "-loglevel", "error", "-nostats",
        "-analyzeduration", "1", "-probesize", "65536", "-protocol_whitelist", "pipe", "-f", "flv", "-i", "pipe:0",
        "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy",
        "-f", "mp4", "-movflags", "empty_moov+default_base_moof+frag_keyframe+skip_trailer",
        "-frag_duration", str(int(profile.fragment_seconds * 1_000_000)), "-flush_packets", "1",
        "-max_interleave_delta", "100000", "pipe:1",
    )  # fmt: skip


class Encoder:
    """A running ffmpeg. `send` raises `EncoderDied` once it is gone; `finish` ends it."""

    def __init__(self, process: asyncio.subprocess.Process, sink: FragmentSink) -> None:
        self._process = process
        self._sink = sink
        self._ledger = GopLedger()
        self._complaints: deque[str] = deque(maxlen=5)
        self._finishing = False
        self._reading = asyncio.create_task(self._read())
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, ffmpeg: str, profile: Profile, sink: FragmentSink) -> "Encoder":
        """Raises `EncoderDied` when ffmpeg cannot even be started."""
        try:
            process = await asyncio.create_subprocess_exec(
                *ends_with_us(command(ffmpeg, profile)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C at the terminal reaches only us
            )
        except OSError as failure:
            raise EncoderDied(f"ffmpeg could not be started: {failure}") from failure
        return cls(process, sink)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._reading.done()

    def open_file(self, *, with_audio: bool) -> None:
        """The first bytes; headers and frames follow by `send`."""
        self._write(flv.file_header(with_audio=with_audio))

    async def send(self, tag: Tag) -> None:
        """Hand over one tag; waits while ffmpeg is busy."""
        if not self.alive:
            raise EncoderDied
        self._count(tag)
        self._write(flv.encode(tag))
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101  # for the type checker: we asked for a pipe
        if not pipe.transport.get_write_buffer_size():
            return
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                await pipe.drain()
        except TimeoutError as stuck:
            self._kill()
            raise EncoderDied("ffmpeg hangs.") from stuck
        except ConnectionError as gone:
            raise EncoderDied from gone

    async def finish(self) -> None:
        """End of input: what is inside comes out, then it is gone. Kills it when that takes too long."""
        self._finishing = True
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101  # for the type checker: we asked for a pipe
        with contextlib.suppress(OSError):
            pipe.close()
        try:
            await asyncio.wait({self._reading}, timeout=FINISH_SECONDS)
        finally:
            self._kill()
            await self._process.wait()
            await asyncio.gather(self._reading, self._listening, return_exceptions=True)
        if self._complaints:
            log.info("encoder.said", lines=list(self._complaints))

    def _count(self, tag: Tag) -> None:
        seen = flv.look(tag)
        if tag.kind == flv.Kind.VIDEO and seen is not None and seen.frame:
            self._ledger.entered(keyframe=seen.keyframe)

    def _write(self, data: bytes) -> None:
        pipe = self._process.stdin
        if pipe is not None and not pipe.is_closing():
            pipe.write(data)

    async def _read(self) -> None:
        """Until ffmpeg ends, however it ends."""
        reader, output = FragmentReader(), self._process.stdout
        assert output is not None  # noqa: S101  # for the type checker: we asked for a pipe
        try:
            while data := await output.read(READ_BYTES):
                for found in reader.feed(data):
                    self._sink(found, isinstance(found, Fragment) and self._follows(found))
        except FragmentsBroken as failure:
            log.error("encoder.unreadable", code=failure.code)
            self._kill()

    def _follows(self, fragment: Fragment) -> bool:
        return self._ledger.left(independent=fragment.independent, frames=fragment.samples)

    async def _listen(self) -> None:
        """Keep the last things ffmpeg complained about."""
        errors = self._process.stderr
        assert errors is not None  # noqa: S101  # for the type checker: we asked for a pipe
        while data := await errors.read(4096):
            self._complaints.append(data.decode("utf-8", "replace").strip()[:SHOWN_ERROR_CHARACTERS])

    def _kill(self) -> None:
        # Not `process.kill()`: it polls first and may take the exit status away from asyncio's own watcher.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
