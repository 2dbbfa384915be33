"""The story the platform exists for, in a real browser, with a real encoder, on two nodes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
from playwright.async_api import expect

from infra.local.environment import find_ffmpeg
from loadtest.clock_video import publish
from realtime.client import View, open_client
from tests.e2e.conftest import Person

Arrive = Callable[..., Awaitable[Person]]
pytestmark = pytest.mark.timeout(180)
SLOW_MS = 30_000


@asynccontextmanager
async def encoder(url: str) -> AsyncIterator[None]:
    """A creator's ffmpeg, which ends with the block as if its plug were pulled."""
    task = asyncio.create_task(publish(find_ffmpeg(), url))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def playing(person: Person) -> None:
    """The picture moves."""
    video = person.see("video")
    before = await video.evaluate("video => video.currentTime")
    async with asyncio.timeout(30):
        while await video.evaluate("video => video.currentTime") < before + 1:  # noqa: ASYNC110  # nobody tells us
            await asyncio.sleep(0.1)


def has_entries(view: View, count: int) -> bool:
    return len(view.entries) >= count


def is_over(view: View) -> bool:
    return view.status == "ended"


async def test_from_sign_up_to_the_end_of_a_stream(arrive: Arrive, node_urls: list[str]) -> None:
    creator, viewer = await arrive(), await arrive(390, 844)

    # A creator signs up, takes the stage and gets a server and a key.
    await creator.sign_up("Grace")
    await creator.go("/studio")
    await creator.see("become-creator").click()
    await creator.page.get_by_label("Title").fill("Compilers by night")
    await creator.see("start-stream").click()
    await expect(creator.see("studio-state")).to_have_attribute("data-state", "created")
    url = await creator.see("ingest-url").input_value()
    key = await creator.see("ingest-key").input_value()

    async with encoder(f"{url}/{key}"):
        # Every screen knows at once: the studio, and the home page of somebody else.
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "live", timeout=SLOW_MS)
        await viewer.go("/")
        await viewer.page.get_by_role("link", name="Compilers by night").first.click()
        await playing(viewer)
        stream_id = viewer.page.url.rsplit("/", 1)[1]

        async with open_client([node_urls[0]]) as first, open_client([node_urls[1]]) as second:
            rooms = [await client.join(stream_id) for client in (first, second)]

            # An anonymous viewer reads and is asked to sign in; after that they talk.
            await expect(viewer.see("chat-signin")).to_be_visible()
            await viewer.sign_up("Linus")
            await viewer.go(f"/watch/{stream_id}")
            await viewer.see("chat-input").wait_for()
            await viewer.say("good evening")
            await creator.see("chat-list").get_by_text("good evening").wait_for()
            await creator.say("welcome, everybody")
            await viewer.see("chat-list").get_by_text("welcome, everybody").wait_for()
            for client, room in ((first, rooms[0]), (second, rooms[1])):
                await client.until(partial(has_entries, room, 2))
            said = [[(entry["offset"], entry["text"]) for entry in room.entries] for room in rooms]
            assert said[0] == said[1] == [(1, "good evening"), (2, "welcome, everybody")]

            # The viewers are counted once each: two browsers, two clients.
            await expect(viewer.see("viewers")).to_contain_text("4", timeout=SLOW_MS)

            # The creator stops; nobody has to reload.
            await playing(viewer)
            await creator.see("stop-stream").click()
            await creator.see("confirm").click()
            await expect(creator.see("studio-state")).to_have_attribute("data-state", "offline", timeout=SLOW_MS)
            await expect(viewer.see("player-ended")).to_be_visible(timeout=SLOW_MS)
            for client, room in ((first, rooms[0]), (second, rooms[1])):
                await client.until(partial(is_over, room))


async def test_an_encoder_that_drops_and_returns_continues_the_stream(arrive: Arrive) -> None:
    creator, viewer = await arrive(), await arrive()
    await creator.sign_up("Barbara")
    await creator.go("/studio")
    await creator.see("become-creator").click()
    await creator.page.get_by_label("Title").fill("Abstraction")
    await creator.see("start-stream").click()
    url = f"{await creator.see('ingest-url').input_value()}/{await creator.see('ingest-key').input_value()}"
    async with encoder(url):
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "live", timeout=SLOW_MS)
        await viewer.go("/")
        await viewer.page.get_by_role("link", name="Abstraction").first.click()
        await playing(viewer)
    await expect(viewer.see("player-words")).to_contain_text("connection dropped", timeout=SLOW_MS)
    await expect(creator.see("studio-state")).to_have_attribute("data-state", "interrupted", timeout=SLOW_MS)
    async with encoder(url):
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "live", timeout=SLOW_MS)
        await playing(viewer)
        await creator.see("stop-stream").click()
        await creator.see("confirm").click()
        await expect(viewer.see("player-ended")).to_be_visible(timeout=SLOW_MS)


async def test_signing_out_in_one_tab_signs_out_the_other(arrive: Arrive) -> None:
    person = await arrive()
    await person.sign_up("Edsger")
    await person.go("/account")
    other = await person.context.new_page()
    await other.goto(f"{person.home}/account")
    await other.get_by_test_id("user-menu").click()
    await other.get_by_test_id("signout").click()
    await expect(other.get_by_test_id("signin-link").first).to_be_visible()
    await person.page.reload()
    await expect(person.see("signin-link").first).to_be_visible()
