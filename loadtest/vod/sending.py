"""What the API's memory does while many large files are sent as forms at once."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp

from loadtest.people import Person, become_creator, checked, sign_up
from loadtest.stack import Stack, memory_mb
from loadtest.tables import table
from loadtest.vod.desk import command_of

CREATORS, FILES_EACH, FILE_BYTES = 10, 2, 200 << 20
WARMING_BYTES = 1 << 20
PIECE = bytes(256 << 10)
# The beginning of an MP4; what follows is nothing, which the transcoder finds out and which is not the question here.
HEAD = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
LOOK_SECONDS = 0.25
METHOD = (
    f"{CREATORS * FILES_EACH} forms of {FILE_BYTES >> 20} MB at once, {FILES_EACH} from each of {CREATORS} creators, "
    "through the front door of `footlight up`, which has taken a form of 1 MB from each before; "
    "memory (PSS) of the API's node processes together, looked at every "
    "0.25 s. Everything shares two cores."
)


async def measure(stack: Stack) -> str:
    """The table."""
    async with aiohttp.ClientSession(stack.web, timeout=aiohttp.ClientTimeout(total=1800)) as web:
        people = [await become_creator(web, await sign_up(web, 70_000 + n)) for n in range(CREATORS)]
        await asyncio.gather(*(_sent(web, person, WARMING_BYTES) for person in people))
        nodes = [pid for pid in stack.processes() if "gateway serve" in command_of(pid)]
        before = memory_mb(nodes)
        sending = asyncio.gather(*(_sent(web, person, FILE_BYTES) for person in people for _ in range(FILES_EACH)))
        most, began = before, asyncio.get_running_loop().time()
        while not sending.done():
            most = max(most, memory_mb(nodes))
            await asyncio.sleep(LOOK_SECONDS)
        await sending
        took = asyncio.get_running_loop().time() - began
    megabytes = CREATORS * FILES_EACH * FILE_BYTES / 1e6
    row = (before, most, most - before, "< 100", took, megabytes / took)
    columns = ("before, MB", "most, MB", "grew by, MB", "goal, MB", "took, s", "MB a second")
    return table("API memory while 20 large files are sent", METHOD, columns, [row])


async def _sent(web: aiohttp.ClientSession, person: Person, size_bytes: int) -> None:
    form = aiohttp.FormData()
    form.add_field("title", "A large one")
    form.add_field("file", _pieces(size_bytes), filename="large.mp4", content_type="video/mp4")
    async with web.post("/api/v1/videos", data=form, headers=person.headers) as answer:
        await checked(answer)


async def _pieces(size_bytes: int) -> AsyncIterator[bytes]:
    yield HEAD
    left = size_bytes - len(HEAD)
    while left > 0:
        yield PIECE[:left]
        left -= len(PIECE)
