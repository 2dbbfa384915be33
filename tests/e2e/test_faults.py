"""Parts are killed under people's hands; what was acknowledged stays, and the platform heals by itself."""

import asyncio
import json
import os
import signal
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from redis.crc import key_slot

from infra.errors import FootlightError
from infra.local.environment import find_ffmpeg
from infra.local.up import VALKEY_NODES
from infra.local.valkey import SLOTS
from loadtest.clock_video import publish
from loadtest.passes import cookie_of
from loadtest.people import Person, become_creator, sign_up, start_stream, stop_stream
from loadtest.stack import Stack
from realtime.client import RoomClient, open_client
from tests.e2e.test_story import has_entries

pytestmark = pytest.mark.timeout(180)
numbers = iter(range(5000, 6000))


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def kill(stack: Stack, *words: str) -> int:
    """Kill -9 the process of the platform whose command has all these words."""
    found = [pid for pid in stack.processes() if all(word in command_of(pid) for word in words)]
    assert found, f"no process of the platform has {words} in its command"
    os.kill(found[0], signal.SIGKILL)
    return found[0]


async def talk(client: RoomClient, stream_id: str, texts: list[str]) -> list[str]:
    """Say each until it is acknowledged, always with the same message id; returns what was acknowledged."""
    said = []
    for text in texts:
        async with asyncio.timeout(60):
            while True:
                try:
                    await client.send(stream_id, text, f"message-{text}")
                    break
                except FootlightError:
                    await asyncio.sleep(0.2)
        said.append(text)
    return said


async def room(web: aiohttp.ClientSession) -> tuple[Person, str]:
    """A creator and the room of their stream."""
    creator = await become_creator(web, await sign_up(web, next(numbers)))
    return creator, (await start_stream(web, creator))["id"]


async def test_viewers_of_a_killed_node_miss_nothing(
    stack: Stack, web: aiohttp.ClientSession, node_urls: list[str]
) -> None:
    creator, stream_id = await room(web)
    speaker = await sign_up(web, next(numbers))
    async with (
        open_client([node_urls[1]], token=speaker.token) as talking,
        open_client([node_urls[0], node_urls[1]]) as first,
        open_client([node_urls[0], node_urls[1]]) as second,
    ):
        views = [await client.join(stream_id) for client in (first, second)]
        await talking.join(stream_id)
        said = await talk(talking, stream_id, [f"{n:02}" for n in range(5)])
        kill(stack, "gateway serve", f"--port {node_urls[0].rsplit(':', 1)[1]} ")
        said += await talk(talking, stream_id, [f"{n:02}" for n in range(5, 12)])
        for client, view in zip((first, second), views, strict=True):
            await client.until(partial(has_entries, view, len(said)), 60)
            assert [entry["text"] for entry in view.entries] == said
            assert [entry["offset"] for entry in view.entries] == list(range(1, 13))
    await stop_stream(web, creator, stream_id)


async def test_a_killed_shard_loses_nothing_that_was_acknowledged(
    stack: Stack, web: aiohttp.ClientSession, node_urls: list[str]
) -> None:
    creator, stream_id = await room(web)
    port = json.loads((stack.folder / "ports.json").read_text())[f"valkey-{owner(stream_id)}"]
    async with open_client(node_urls, token=creator.token) as talking, open_client(node_urls) as reading:
        await talking.join(stream_id)
        view = await reading.join(stream_id)
        said = await talk(talking, stream_id, [f"{n:02}" for n in range(4)])
        kill(stack, "valkey-server", f":{port} ")  # it names itself by its address
        said += await talk(talking, stream_id, [f"{n:02}" for n in range(4, 8)])
        await reading.until(lambda: len(view.entries) >= len(said), 60)
        assert [entry["text"] for entry in view.entries] == said
    async with open_client(node_urls) as late:
        assert [entry["text"] for entry in (await late.join(stream_id)).entries] == said
    await healed(web)
    await stop_stream(web, creator, stream_id)


def owner(stream_id: str) -> int:
    """Which of the three shards owns a room: its keys are tagged with the stream's id."""
    return key_slot(stream_id.encode()) * VALKEY_NODES // SLOTS


async def healed(web: aiohttp.ClientSession) -> None:
    """Wait until the front door says that every store answers."""
    async with asyncio.timeout(60):
        while True:
            async with web.get("/readyz") as answer:
                if (await answer.json())["status"] == "ready":
                    return
            await asyncio.sleep(0.2)


async def test_a_killed_database_is_told_and_comes_back_whole(stack: Stack, web: aiohttp.ClientSession) -> None:
    before = await sign_up(web, next(numbers), "Before")
    kill(stack, "/postgres ", " -D ")
    codes = set()
    async with asyncio.timeout(60):
        while True:
            async with web.patch("/api/v1/auth/me", json={"display_name": "After"}, headers=before.headers) as answer:
                if answer.status == 200:
                    assert (await answer.json())["display_name"] == "After"
                    break
                assert answer.status == 503
                codes.add((await answer.json())["error"]["code"])
            await asyncio.sleep(0.3)
    assert codes <= {"service.postgres"}
    await healed(web)


async def test_a_killed_live_process_lets_the_encoder_return(stack: Stack, web: aiohttp.ClientSession) -> None:
    creator = await become_creator(web, await sign_up(web, next(numbers)))
    stream = await start_stream(web, creator)
    url = f"{stream['ingest']['url']}/{stream['ingest']['key']}"
    encoder = asyncio.create_task(publish(find_ffmpeg(), url))
    first = await newest_segment(web, creator, stream["id"])
    kill(stack, "gateway live")
    await encoder  # its connection is gone
    encoder = asyncio.create_task(republish(url))
    try:
        async with asyncio.timeout(90):
            while await newest_segment(web, creator, stream["id"]) <= first:  # noqa: ASYNC110  # nobody tells us
                await asyncio.sleep(0.3)
    finally:
        encoder.cancel()
        await asyncio.gather(encoder, return_exceptions=True)
    await stop_stream(web, creator, stream["id"])


async def republish(url: str) -> None:
    """As OBS does: try again until it is taken."""
    while True:
        await publish(find_ffmpeg(), url)
        await asyncio.sleep(0.5)


async def newest_segment(web: aiohttp.ClientSession, who: Person, stream_id: str) -> int:
    """The media sequence number a player would be at, once there is one."""
    async with asyncio.timeout(60):
        while True:
            if (number := await _newest(web, who, stream_id)) is not None:
                return number
            await asyncio.sleep(0.3)


async def _newest(web: aiohttp.ClientSession, who: Person, stream_id: str) -> int | None:
    async with web.get(f"/api/v1/streams/{stream_id}/manifest", headers=who.headers) as answer:
        if answer.status != 200:
            return None
        manifest = (await answer.json())["url"]
        opens = {"Cookie": cookie_of(answer.headers.getall("Set-Cookie"))}
    async with web.get(manifest.replace("index.m3u8", "source.m3u8"), headers=opens) as answer:
        lines = (await answer.text()).splitlines() if answer.status == 200 else []
    first = next((int(line.split(":")[1]) for line in lines if line.startswith("#EXT-X-MEDIA-SEQUENCE:")), None)
    return None if first is None else first + sum(line.startswith("#EXTINF") for line in lines)
