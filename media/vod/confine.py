"""Programs that read a stranger's bytes, kept from doing anything else.

A child has a session of its own, hard limits (processor time, memory, file size, open files), no standard input, a bare
environment and its own folder. Where the kernel permits user namespaces it has no network and its own process table, so
that nothing it starts outlives it; elsewhere its process group is killed. It dies with us.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.children import ends_with_us
from infra.logs import get_logger
from media.vod.errors import ChildFailed, ChildStalled

# Only formats that name no other file. `-protocol_whitelist` alone lets a playlist read somebody else's upload
# (measured with ffmpeg 5.1 and 9.0); the list of formats is what stops it.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv"
MAX_PIXELS = 3840 * 2160
MAX_STREAMS = 32
INPUT_GUARD: tuple[str, ...] = (
    "-protocol_whitelist", "file,pipe,fd", "-format_whitelist", FORMATS,
    "-max_streams", str(MAX_STREAMS), "-max_pixels", str(MAX_PIXELS),
)  # fmt: skip

LINE_BYTES = 4 << 20  # a probe of 12 hours names 22,000 key frames in one line
SAID_BYTES = 4096
READ_BYTES = 16 << 10
LAST_WORDS_SECONDS = 2.0
STAND_BACK_ATTEMPTS = 20
# Servers and encoders of live streams go before both. What the first picture of a video waits for has three times the
# processor of what it does not wait for.
FIRST_NICENESS, LATER_NICENESS = 10, 15
# Entering a user namespace clears the death signal, so it is set inside; what the second step makes dies with it.
# The root of the namespace may do nothing: its capabilities are dropped before the program starts.
NAMESPACES = (
    "unshare", "--user", "--map-root-user", "setpriv", "--pdeathsig", "KILL",
    "unshare", "--net", "--pid", "--fork", "--kill-child",
    "setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
)  # fmt: skip

log = get_logger(__name__)

OnLine = Callable[[str], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Limits:
    """`wall_seconds` for all of it; `stall_seconds` is the longest silence on its standard output."""

    wall_seconds: float
    cpu_seconds: int
    file_bytes: int
    stall_seconds: float = 30.0
    memory_bytes: int = 4 << 30
    open_files: int = 256
    niceness: int = FIRST_NICENESS


async def run_confined(
    arguments: Sequence[str], *, folder: Path, limits: Limits, on_line: OnLine | None = None
) -> None:
    """Run to its end; `on_line` gets each line of its standard output as it comes.

    Raises `ChildFailed`, `ChildStalled`; what `on_line` raises ends the child too, and so does cancelling.
    """
    async with _started(_wrapped(tuple(arguments), limits), folder, limits.niceness) as child:
        said = asyncio.create_task(_tail_of(child))
        try:
            async with asyncio.timeout(limits.wall_seconds):
                await _listen(child, limits.stall_seconds, on_line)
                returncode = await child.wait()
        except TimeoutError:
            raise ChildStalled from None
        finally:
            _kill(child)
            tail = await _last_words(said)
    if returncode != 0:
        raise ChildFailed(returncode, tail)


async def _listen(child: Process, stall_seconds: float, on_line: OnLine | None) -> None:
    assert child.stdout is not None  # noqa: S101  # it was asked for
    while True:
        try:
            async with asyncio.timeout(stall_seconds):
                line = await child.stdout.readline()
        except ValueError as endless:  # longer than LINE_BYTES
            raise ChildFailed(-1, "a line without an end") from endless
        if not line:
            return
        if on_line is not None and (pending := on_line(line.decode("utf-8", "replace").rstrip("\r\n"))):
            await pending


async def _last_words(said: asyncio.Task[str]) -> str:
    """Without namespaces, something it started may live on and hold its standard error open."""
    try:
        return await asyncio.wait_for(said, LAST_WORDS_SECONDS)
    except TimeoutError:
        return ""


async def _tail_of(child: Process) -> str:
    assert child.stderr is not None  # noqa: S101  # it was asked for
    kept: deque[bytes] = deque(maxlen=2)
    while piece := await child.stderr.read(READ_BYTES):
        kept.append(piece)
    return b"".join(kept)[-SAID_BYTES:].decode("utf-8", "replace").strip()


@asynccontextmanager
async def _started(command: tuple[str, ...], folder: Path, niceness: int) -> AsyncIterator[Process]:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
    }
    child = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=folder, env=environment, start_new_session=True,
        limit=LINE_BYTES,
    )  # fmt: skip
    standing_back = asyncio.create_task(_stand_back(child.pid, niceness))
    try:
        yield child
    finally:
        standing_back.cancel()
        _kill(child)
        await asyncio.shield(child.wait())


async def _stand_back(pid: int, niceness: int) -> None:
    """Where the kernel groups processes by session, niceness counts only inside one, and each child has its own: the
    whole session stands back (sched(7), "The autogroup feature"). The kernel takes one such wish in 100 ms, of anybody.
    """
    for _ in range(STAND_BACK_ATTEMPTS):
        try:
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))  # noqa: ASYNC240 - no disk behind it
        except BlockingIOError:
            await asyncio.sleep(0.1)
        except OSError:  # this kernel does not, or the child is gone
            return
        else:
            return


def _kill(child: Process) -> None:
    """All of its group: after its own end too, for what it may have started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _wrapped(arguments: tuple[str, ...], limits: Limits) -> tuple[str, ...]:
    bounded = (
        "prlimit", f"--as={limits.memory_bytes}", f"--cpu={limits.cpu_seconds}", f"--fsize={limits.file_bytes}",
        f"--nofile={limits.open_files}", "--core=0", "nice", "-n", str(limits.niceness), *arguments,
    )  # fmt: skip
    return (*NAMESPACES, *bounded) if has_namespaces() else ends_with_us(bounded)


@cache
def has_namespaces() -> bool:
    """Whether this kernel lets us make namespaces without being root."""
    if shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return False
    try:
        asked = subprocess.run((*NAMESPACES, "true"), capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    if asked.returncode != 0:
        log.info("confine.no_namespaces", why=asked.stderr.decode(errors="replace")[-200:])
    return asked.returncode == 0
