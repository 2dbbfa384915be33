"""What moderators do, as a viewer sees it: everything by keyboard, on both screens."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Person
from tests.e2e.test_desk import SLOW_MS, on_stage

Arrive = Callable[..., Awaitable[Person]]
pytestmark = pytest.mark.timeout(180)


async def test_a_viewer_is_told_of_everything_that_concerns_them(arrive: Arrive) -> None:
    creator, viewer = await arrive(), await arrive(400, 800)
    await creator.sign_up("Barbara")
    await viewer.sign_up("Linus")
    async with on_stage(creator) as stream_id:
        for person in (creator, viewer):
            await person.go(f"/watch/{stream_id}")
            await expect(person.see("chat")).to_have_attribute("data-joined", "true", timeout=SLOW_MS)
        await _talks(creator, viewer)
        await _votes(creator, viewer)
        await _is_warned(creator, viewer)
        await _waits(creator, viewer)
        await _is_sent_away(creator, viewer)


async def command(person: Person, line: str) -> None:
    """Typed and sent by keyboard; a list of suggestions that is open, or opens only now, is left first."""
    field = person.see("chat-input")
    await field.focus()
    await person.page.keyboard.type(line)
    for _ in range(5):
        if await person.see("suggestions").count():
            await person.page.keyboard.press("Escape")
        await person.page.keyboard.press("Enter")
        with contextlib.suppress(AssertionError):  # the list opened just before: its entry was taken, nothing sent
            await expect(field).to_have_value("", timeout=5000)
            return
    raise AssertionError(f"{line!r} could not be sent")


async def _talks(creator: Person, viewer: Person) -> None:
    await command(viewer, "good evening :wave:")
    heard = creator.see("chat-list").get_by_text("good evening")
    await heard.wait_for()
    await command(viewer, "/me waves")
    await creator.see("chat-list").get_by_text("waves").wait_for()
    await command(creator, "/pin Linus")
    await expect(viewer.see("pinned")).to_contain_text("waves")
    await command(creator, "/delete Linus")
    await expect(viewer.see("chat-list").get_by_text("waves")).to_have_count(0)
    await expect(viewer.see("pinned")).to_have_count(0)
    await command(creator, "/undo")
    await viewer.see("chat-list").get_by_text("waves").wait_for()


async def _votes(creator: Person, viewer: Person) -> None:
    await command(creator, '/poll "Tea or coffee?" Tea Coffee')
    poll = viewer.see("poll")
    await expect(poll).to_contain_text("Tea or coffee?")
    await poll.get_by_role("radio").first.focus()
    await viewer.page.keyboard.press("Space")
    await viewer.page.keyboard.press("Enter")
    await expect(poll).to_contain_text("1 vote")
    await command(creator, "/endpoll")
    await expect(poll).to_have_attribute("data-state", "closed")


async def _is_warned(creator: Person, viewer: Person) -> None:
    await command(creator, "/warn Linus no spoilers")
    await expect(viewer.see("warned")).to_contain_text("no spoilers")
    await viewer.see("acknowledge").focus()
    await viewer.page.keyboard.press("Enter")
    await expect(viewer.see("warned")).to_have_count(0)
    await command(viewer, "promised")
    await creator.see("chat-list").get_by_text("promised").wait_for()


async def _waits(creator: Person, viewer: Person) -> None:
    await command(creator, "/slow 60")
    await expect(viewer.see("modes")).to_contain_text("low")
    await command(creator, "/slowoff")
    await command(creator, "/timeout Linus 600 that was one")
    await expect(viewer.see("timed-out")).to_be_visible()
    await expect(viewer.see("chat-list").get_by_text("promised")).to_have_count(0)
    await command(creator, "/untimeout Linus")
    await expect(viewer.see("chat-input")).to_be_visible()


async def _is_sent_away(creator: Person, viewer: Person) -> None:
    await command(creator, "/ban Linus")
    await expect(viewer.see("banned")).to_be_visible()
    await viewer.see("ask-unban").focus()
    await viewer.page.keyboard.press("Enter")
    await viewer.page.keyboard.type("I have changed")
    await viewer.page.keyboard.press("Tab")
    await viewer.page.keyboard.press("Enter")
    await expect(viewer.see("unban-state")).to_contain_text("You asked")
