"""Watching videos in a real browser: lost cookies, other devices, what is deleted, streams that were interrupted."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Response, expect

from loadtest.stack import Stack
from tests.e2e.conftest import Person
from tests.e2e.test_desk import SLOW_MS
from tests.e2e.test_story import encoder, playing
from tests.e2e.videos import Arrive, ask, become_creator, film, made, until_api, uploaded

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Longer than what a player fetches ahead."""
    return film(tmp_path_factory.mktemp("watched") / "long.mp4", 90, "256x144", "-b:v", "300k")


async def seen_from(person: Person, video_id: str) -> None:
    await person.go(f"/video/{video_id}")
    await expect(person.see("player")).to_have_attribute("data-phase", "playing", timeout=SLOW_MS)


async def at(person: Person) -> float:
    return float(await person.see("video").evaluate("video => video.currentTime"))


async def test_lost_cookies_are_renewed_another_device_goes_on_and_what_is_deleted_is_gone(
    arrive: Arrive, long_film: Path, stack: Stack
) -> None:
    creator, viewer = await arrive(), await arrive()
    await become_creator(creator, "Karen")
    video_id = await uploaded(creator, long_film)
    await made(creator, video_id)
    await viewer.sign_up("Frances")
    answers: list[tuple[int, str]] = []

    def noted(response: Response) -> None:
        if "/vod/" in response.url:
            answers.append((response.status, response.url))

    viewer.page.on("response", noted)
    await seen_from(viewer, video_id)
    await playing(viewer)

    # The cookies go; the next segment is refused, and the player asks for new ones by itself.
    await viewer.context.clear_cookies(name="CloudFront-Policy")
    before = len(answers)
    await viewer.page.keyboard.press("8")
    await viewer.page.wait_for_function("document.querySelector('video').currentTime > 71")
    await playing(viewer)
    statuses = [status for status, _ in answers[before:]]
    assert 403 in statuses
    assert statuses[-1] in {200, 206}
    assert statuses.index(403) < len(statuses) - 1

    # Another device of the same person goes on where this one stopped, or from the beginning.
    await viewer.page.keyboard.press("k")
    stopped = await at(viewer)
    await until_api(viewer, f"/videos/{video_id}/playback", lambda it: abs((it["resume_seconds"] or 0) - stopped) < 3)
    phone = await arrive(390, 844)
    await phone.sign_in(viewer)
    await seen_from(phone, video_id)
    await expect(phone.page.get_by_text("Going on at 1:1")).to_be_visible()
    assert await at(phone) > 65
    await phone.page.get_by_role("button", name="Start over").click()
    await phone.page.wait_for_function("document.querySelector('video').currentTime < 20")
    await playing(phone)

    # Deleted: gone from the library, from its page, and from the edge.
    segment = next(url for status, url in answers if status in {200, 206} and url.endswith(".m4s"))
    await creator.go("/studio/videos")
    await creator.see("delete-video").first.click()
    await creator.see("confirm").click()
    await expect(creator.see("library-row")).to_have_count(0)
    await viewer.go(f"/video/{video_id}")
    await viewer.see("not-found").wait_for()
    cookies = {kept["name"]: kept["value"] for kept in await phone.context.cookies(segment)}
    async with aiohttp.ClientSession(cookies=cookies) as web, asyncio.timeout(20):  # a worker tells the edges
        while (await status_of(web, segment)) not in {403, 404}:  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.2)


async def status_of(web: aiohttp.ClientSession, url: str) -> int:
    async with web.get(url) as answer:
        return answer.status


async def test_a_stream_whose_encoder_dropped_becomes_one_video_with_both_parts(arrive: Arrive) -> None:
    creator = await arrive()
    await creator.sign_up("Hedy")
    await creator.go("/studio")
    await creator.see("become-creator").click()
    await creator.page.get_by_label("Title").first.fill("Frequency hopping")
    await creator.see("start-stream").click()
    url = f"{await creator.see('ingest-url').input_value()}/{await creator.see('ingest-key').input_value()}"
    stream_id = (await ask(creator, "/streams/mine"))["stream"]["id"]
    for _ in range(2):
        async with encoder(url):
            await expect(creator.see("studio-state")).to_have_attribute("data-state", "live", timeout=SLOW_MS)
            await creator.page.wait_for_timeout(6000)  # of picture
        await expect(creator.see("studio-state")).to_have_attribute("data-state", "interrupted", timeout=SLOW_MS)
    await ask(creator, f"/streams/{stream_id}/stop", "POST")
    me = await ask(creator, "/auth/me")
    found = await until_api(
        creator, f"/videos?creator={me['id']}", lambda it: any(video["status"] == "ready" for video in it["videos"])
    )
    [video] = found["videos"]
    assert video["recording"]["stream_id"] == stream_id
    assert video["title"] == "Frequency hopping"
    assert video["metadata"]["duration"] > 9  # either part has six seconds at least, less what a start takes
    await seen_from(creator, video["id"])
    await playing(creator)
