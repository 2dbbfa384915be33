"""Real fragmented MP4 made by ffmpeg, and synthetic fragments for everything about numbers and times."""

import asyncio

from media.packaging.boxes import Fragment, Header
from media.packaging.encoder import command
from media.packaging.packager import Profile
from tests.media.publisher import command as encode
from tests.media.publisher import ffmpeg

HEADER = Header(b"header", "avc1.42c00d,mp4a.40.2", 320, 180, 1, 16_000)


def fragment(seconds: float = 0.2, *, start: float = 0.0, key: bool = False, samples: int = 5) -> Fragment:
    return Fragment(b"data", start, seconds, key, samples)


async def run(*arguments: str, stdin: bytes = b"") -> bytes:
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate(stdin)
    assert process.returncode == 0, errors.decode()
    return output


async def flv_file(**options: object) -> bytes:
    """What an encoder would send, as a file."""
    return await run(*encode("pipe:1", real_time=False, **options))  # type: ignore[arg-type]  # passed through


async def fragmented(profile: Profile, **options: object) -> bytes:
    """The same after our ffmpeg."""
    return await run(*command(ffmpeg(), profile), stdin=await flv_file(**options))
