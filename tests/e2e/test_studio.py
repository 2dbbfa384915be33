"""The creator's control panel in a real browser: by keyboard alone where it can be, with a real encoder."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Person
from tests.e2e.test_story import SLOW_MS, encoder

Arrive = Callable[..., Awaitable[Person]]
pytestmark = pytest.mark.timeout(180)
KICKED_MS = 5_000


async def on_air(creator: Person, name: str, title: str) -> str:
    """Make the stream; the address to publish to."""
    await creator.sign_up(name)
    await creator.go("/studio")
    await creator.see("become-creator").click()
    await creator.page.get_by_label("Title").fill(title)
    await creator.see("start-stream").click()
    url, key = await creator.see("ingest-url").input_value(), await creator.see("ingest-key").input_value()
    return f"{url}/{key}"


async def test_a_title_changes_while_live_and_a_new_key_disconnects_the_encoder(arrive: Arrive) -> None:
    creator, viewer = await arrive(), await arrive(390, 844)
    async with encoder(await on_air(creator, "Frances", "Loops")):
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "live", timeout=SLOW_MS)
        await viewer.go("/")
        await viewer.page.get_by_role("link", name="Loops").first.click()

        await creator.see("describe-edit").click()
        await creator.see("describe-title").fill("Loops, unrolled")
        await creator.page.keyboard.press("Enter")
        await expect(creator.see("described-title")).to_have_text("Loops, unrolled")
        await expect(viewer.page.get_by_role("heading", name="Loops, unrolled")).to_be_visible()

        # Within seconds: the encoder would be back at once if its key were still good.
        await creator.see("reset-key").click()
        await creator.see("confirm").click()
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "interrupted", timeout=KICKED_MS)
    await creator.see("stop-stream").click()
    await creator.see("confirm").click()
    await expect(creator.see("studio-state")).to_have_attribute("data-state", "offline", timeout=SLOW_MS)


async def test_the_time_line_is_read_and_the_boxes_are_arranged_by_keyboard(arrive: Arrive) -> None:
    creator = await arrive()
    async with encoder(await on_air(creator, "Mary", "Sorting")):
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "live", timeout=SLOW_MS)
        cursor = creator.see("timeline-cursor")
        await cursor.wait_for(timeout=SLOW_MS)
        await cursor.focus()
        await creator.page.keyboard.press("Home")
        said = await cursor.get_attribute("aria-valuetext") or ""
        assert "viewer" in said
        assert "Went live" in said
        await expect(creator.see("timeline-tip")).to_be_visible()

        await creator.see("arrange").press("Enter")
        handle = creator.see("handle-chat")
        await handle.focus()
        await creator.page.keyboard.press("ArrowLeft")
        await expect(creator.see("arrange-said")).to_contain_text("Chat: column 2 of 3")
        await expect(handle).to_be_focused()
        await creator.see("arrange-done").press("Enter")
        await creator.page.reload()
        await expect(creator.page.locator('[data-box="chat"]')).to_have_attribute("data-column", "1")
        await creator.see("stop-stream").click()
        await creator.see("confirm").click()
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "offline", timeout=SLOW_MS)
