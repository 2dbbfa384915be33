"""A moderator at the desk, by keyboard alone: what they do is seen by a viewer, and taken back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from infra.local.environment import find_ffmpeg
from loadtest.clock_video import publish
from tests.e2e.conftest import Person

Arrive = Callable[..., Awaitable[Person]]
pytestmark = pytest.mark.timeout(180)
SLOW_MS = 30_000


@asynccontextmanager
async def on_stage(creator: Person) -> AsyncIterator[str]:
    """A stream that is live until the block ends; its id."""
    await creator.go("/studio")
    await creator.see("become-creator").click()
    await creator.page.get_by_label("Title").first.fill("Order in the house")
    await creator.see("start-stream").click()
    url = f"{await creator.see('ingest-url').input_value()}/{await creator.see('ingest-key').input_value()}"
    task = asyncio.create_task(publish(find_ffmpeg(), url))
    try:
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "live", timeout=SLOW_MS)
        mine = await creator.page.evaluate("fetch('/api/v1/streams/mine').then(answer => answer.json())")
        yield mine["stream"]["id"]
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_moderator_deletes_undoes_and_bans_by_keyboard(arrive: Arrive) -> None:
    creator, viewer = await arrive(1600, 900), await arrive()
    await creator.sign_up("Margaret")
    await viewer.sign_up("Dennis")
    async with on_stage(creator) as stream_id:
        me = await creator.page.evaluate("fetch('/api/v1/auth/me').then(answer => answer.json())")
        await creator.go(f"/mod/{me['id']}")
        await expect(creator.see("desk-channel")).to_have_attribute("data-joined", "true", timeout=SLOW_MS)
        await viewer.go(f"/watch/{stream_id}")
        await expect(viewer.see("chat")).to_have_attribute("data-joined", "true", timeout=SLOW_MS)
        await viewer.say("buy my followers")
        heard = viewer.see("chat-list").get_by_text("buy my followers")
        await heard.wait_for()

        keys = creator.page.keyboard
        await creator.page.get_by_role("option").filter(has_text="buy my followers").wait_for()
        await keys.press("j")
        await keys.press("d")
        await expect(heard).to_have_count(0)
        await creator.see("undo-toast").wait_for()
        await keys.press("u")
        await expect(heard).to_have_count(1)

        await keys.press("b")
        await creator.see("question-confirm").wait_for()
        await keys.press("Enter")
        await expect(heard).to_have_count(0)
        await expect(creator.see("restriction")).to_contain_text("Banned")
