"""Videos in a real browser: sent, watched while being made, gone on with from elsewhere, kept from who may not."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route, expect

from loadtest.stack import Stack, tree
from loadtest.vod.desk import command_of
from tests.e2e.test_desk import SLOW_MS, on_stage
from tests.e2e.test_story import playing
from tests.e2e.videos import MADE_MS, Arrive, ask, become_creator, film, made, until_api, uploaded

pytestmark = pytest.mark.timeout(240)

# What stands in the picture now: the browser draws captions where no page can look.
SHOWN_WORDS = """words => Array.from(document.querySelector("video").textTracks)
  .some(track => track.mode === "showing" && Array.from(track.activeCues ?? []).some(cue => cue.text === words))"""
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:30.000\nThe sea in the morning\n"


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    return {
        "tall": film(folder / "A morning by the sea.mp4", 24, "1280x720", "-b:v", "6M"),
        "heavy": film(folder / "heavy.mp4", 6, "854x480", "-b:v", "30M", "-minrate", "30M", "-bufsize", "30M"),
        "small": film(folder / "small.mp4", 12, "320x180"),
    }


@contextlib.contextmanager
def standing_still(stack: Stack, part: str) -> Iterator[None]:
    """The processes of this part of the platform, and all that came from them."""
    pids = [pid for each in stack.processes() if command_of(each).rstrip().endswith(part) for pid in tree(each)]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def test_a_file_is_watched_while_it_is_made_and_told_about(
    arrive: Arrive, films: dict[str, Path], stack: Stack
) -> None:
    creator, viewer = await arrive(), await arrive(390, 844)
    await become_creator(creator, "Ada")
    video_id = await uploaded(creator, films["tall"])
    # Whoever has the address watches, while whoever makes it stands still.
    playable = await until_api(creator, f"/videos/{video_id}", lambda video: bool(video["playback_urls"]))
    with standing_still(stack, "transcode"):
        before = await ask(creator, f"/videos/{video_id}")
        await viewer.go(f"/video/{video_id}")
        await expect(viewer.see("player")).to_have_attribute("data-phase", "playing", timeout=SLOW_MS)
        await playing(viewer)
        await viewer.see("still-made").wait_for()
        after = await ask(creator, f"/videos/{video_id}")
    assert playable["playable"]
    assert (before["status"], after["status"]) == ("processing", "processing")
    assert len(after["playback_urls"]) < 4
    await made(creator, video_id)
    await expect(viewer.see("video-page")).to_have_attribute("data-status", "ready", timeout=MADE_MS)
    await playing(viewer)

    await creator.go("/studio/videos")
    await creator.see("library-row").first.get_by_role("link", name="A morning by the sea").last.wait_for()
    await creator.see("edit-video").first.click()
    await creator.page.get_by_label("Description (optional)").fill("Filmed at six. https://example.com/sea")
    await creator.page.get_by_label("Tags (optional)").fill("sea, #calm")
    await creator.page.get_by_label("Language").fill("en")
    await creator.see("captions-file").set_input_files(
        {"name": "en.vtt", "mimeType": "text/vtt", "buffer": CAPTIONS.encode()}
    )
    await creator.page.get_by_text("English (en)").wait_for()
    await creator.see("save-video").click()
    await creator.see("toast").filter(has_text="Saved").wait_for()

    # Everything by keyboard, and the pictures above the seek bar.
    await creator.go(f"/video/{video_id}")
    await expect(creator.see("player")).to_have_attribute("data-phase", "playing", timeout=SLOW_MS)
    await creator.page.get_by_text("Filmed at six.").wait_for()
    await creator.page.keyboard.press("c")
    await expect(creator.page.locator("video track")).to_have_attribute("srclang", "en")
    await creator.page.wait_for_function(SHOWN_WORDS, arg="The sea in the morning")
    await creator.page.keyboard.press("k")
    await expect(creator.see("video")).to_have_js_property("paused", value=True)
    await creator.page.keyboard.press("5")
    await expect(creator.see("clock")).to_contain_text("0:12 / 0:24")
    await creator.page.keyboard.press(">")
    await expect(creator.see("video")).to_have_js_property("playbackRate", 1.25)
    await creator.see("seek").hover(position={"x": 200, "y": 8})
    await expect(creator.page.locator(".seek-preview span").first).to_have_attribute(
        "style", re.compile("storyboard-0.jpg")
    )
    await creator.see("quality").click()
    labels = await creator.page.get_by_role("menuitemradio").all_inner_texts()
    assert [label.split()[0] for label in labels] == ["Auto", "720p", "480p", "360p", "240p"]
    await creator.page.keyboard.press("Escape")
    await creator.see("like").click()
    await expect(creator.see("like")).to_have_attribute("aria-pressed", "true")
    async with asyncio.timeout(SLOW_MS / 1000):  # the button shows it at once
        while (await ask(creator, f"/videos/{video_id}"))["like_count"] != 1:  # noqa: ASYNC110  # the server's word
            await asyncio.sleep(0.5)


async def test_an_upload_that_a_closed_tab_left_goes_on_elsewhere(arrive: Arrive, films: dict[str, Path]) -> None:
    creator = await arrive()
    await become_creator(creator, "Alan")

    async def cut(route: Route) -> None:
        if "partNumber=1&" in route.request.url:
            await route.continue_()
        else:
            await route.abort()

    await creator.page.route("**/uploads/**", cut)
    await creator.see("file-input").set_input_files(str(films["heavy"]))
    video_id = ""
    async with asyncio.timeout(30):
        while True:  # until storage has the first part
            found = (await ask(creator, "/uploads"))["uploads"]
            if found and [part["number"] for part in found[0]["upload"]["received"]] == [1]:
                video_id = found[0]["video"]["id"]
                break
            await asyncio.sleep(0.5)
    await creator.page.goto("about:blank")

    elsewhere = await arrive(390, 844)
    await elsewhere.sign_in(creator)
    sent: list[str] = []
    elsewhere.page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    await elsewhere.go("/studio/videos")
    left = elsewhere.see("upload")
    await expect(left).to_have_attribute("data-state", "left")
    await elsewhere.see("same-file").set_input_files(str(films["small"]))
    await expect(left).to_contain_text("another file")
    data = films["heavy"].read_bytes()
    other = {"name": "heavy.mp4", "mimeType": "video/mp4", "buffer": data[:1000] + bytes(len(data) - 1000)}
    await elsewhere.see("same-file").set_input_files(other)
    await expect(left).to_contain_text("That is another file than heavy.mp4")
    await elsewhere.see("same-file").set_input_files(str(films["heavy"]))
    await elsewhere.page.locator('[data-testid="upload"][data-state="done"]').wait_for(timeout=MADE_MS)
    numbers = sorted(url.split("partNumber=")[1].split("&")[0] for url in sent)
    assert "1" not in numbers
    assert numbers == sorted(set(numbers))
    await made(elsewhere, video_id)


async def test_a_premium_video_is_refused_and_then_granted(
    arrive: Arrive, films: dict[str, Path], stack: Stack
) -> None:
    creator, viewer = await arrive(), await arrive()
    await become_creator(creator, "Mary")
    video_id = await uploaded(creator, films["small"])
    await made(creator, video_id)
    await ask(creator, f"/videos/{video_id}", "PATCH", {"visibility": "premium"})

    await viewer.go(f"/video/{video_id}")
    await expect(viewer.see("refused")).to_have_attribute("data-code", "auth.required")
    await viewer.sign_up("Kurt")
    await viewer.go(f"/video/{video_id}")
    await expect(viewer.see("refused")).to_have_attribute("data-code", "playback.premium")

    await grant(stack, (await ask(viewer, "/auth/me"))["email"], "premium")
    await viewer.go(f"/video/{video_id}")
    await expect(viewer.see("player")).to_have_attribute("data-phase", "playing", timeout=SLOW_MS)

    # The right ends: the next beat says so, and the picture stops.
    await grant(stack, (await ask(viewer, "/auth/me"))["email"], "free")
    await expect(viewer.see("refused")).to_have_attribute("data-code", "playback.premium", timeout=60_000)
    await ask(creator, f"/videos/{video_id}", "PATCH", {"visibility": "private"})
    assert (await ask(viewer, f"/videos/{video_id}"))["error"]["code"] == "video.not_found"


async def grant(stack: Stack, email: str, role: str) -> None:
    """What an operator types."""
    command = (sys.executable, "-m", "gateway", "grant", email, role, "--data", str(stack.folder))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0


async def test_a_stream_becomes_a_video_with_its_chat_in_step(arrive: Arrive) -> None:
    creator, viewer = await arrive(), await arrive()
    await creator.sign_up("Grace")
    await viewer.sign_up("Torvald")  # nobody else's name on this platform: the command below goes by it
    async with on_stage(creator) as stream_id:
        await viewer.go(f"/watch/{stream_id}")
        await expect(viewer.see("chat")).to_have_attribute("data-joined", "true", timeout=SLOW_MS)
        await viewer.say("what a lovely evening")
        await viewer.say("buy my followers")
        await creator.go(f"/watch/{stream_id}")
        await creator.see("chat-list").get_by_text("buy my followers").wait_for()
        await creator.say("/delete Torvald")
        await expect(viewer.see("chat-list").get_by_text("buy my followers")).to_have_count(0)
        await viewer.page.wait_for_timeout(7000)  # a recording needs some length
        await ask(creator, f"/streams/{stream_id}/stop", "POST")
    me = await ask(creator, "/auth/me")
    videos: list[Any] = []
    async with asyncio.timeout(MADE_MS / 1000):
        while not videos:
            await asyncio.sleep(1)
            videos = (await ask(creator, f"/videos?creator={me['id']}"))["videos"]
    [video] = videos
    assert video["recording"]["stream_id"] == stream_id
    await made(creator, video["id"])
    await viewer.go(f"/video/{video['id']}")
    await expect(viewer.see("player")).to_have_attribute("data-phase", "playing", timeout=SLOW_MS)
    await viewer.page.keyboard.press("k")
    await viewer.page.keyboard.press("9")
    replay = viewer.see("replay-lines")
    await expect(replay).to_contain_text("what a lovely evening")
    await expect(replay).not_to_contain_text("buy my followers")
    await viewer.page.keyboard.press("0")
    await expect(replay).not_to_contain_text("what a lovely evening")  # not before its moment
    assert len((await ask(creator, f"/videos?creator={me['id']}"))["videos"]) == 1
