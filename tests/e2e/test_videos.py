"""Videos in a real browser: sent, watched while being made, gone on with from elsewhere, kept from who may not."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route, expect

from infra.local.environment import find_ffmpeg
from loadtest.stack import Stack
from tests.e2e.conftest import Person
from tests.e2e.test_desk import SLOW_MS, on_stage
from tests.e2e.test_story import playing

Arrive = Callable[..., Awaitable[Person]]
pytestmark = pytest.mark.timeout(240)
MADE_MS = 90_000

CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:30.000\nThe sea in the morning\n"


def film(file: Path, seconds: int, size: str, *more: str) -> Path:
    """A film of noise: it costs something to encode, as real ones do."""
    picture = f"testsrc2=size={size}:rate=30,noise=alls=30"
    command = [
        find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i",
        "sine=440", "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "60", *more, "-c:a", "aac",
        "-movflags", "+faststart", str(file),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=60)
    return file


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    return {
        "tall": film(folder / "A morning by the sea.mp4", 24, "1280x720", "-b:v", "6M"),
        "heavy": film(folder / "heavy.mp4", 6, "854x480", "-b:v", "30M", "-minrate", "30M", "-bufsize", "30M"),
        "small": film(folder / "small.mp4", 12, "320x180"),
    }


async def become_creator(person: Person, name: str) -> None:
    await person.sign_up(name)
    await person.go("/studio")
    await person.see("become-creator").click()
    await person.see("start-stream").wait_for()
    await person.go("/studio/videos")
    await person.see("dropzone").wait_for()


async def ask(person: Person, path: str, method: str = "GET", body: Any = None) -> Any:
    """A call of the API with the person's own cookies."""
    script = """async ([path, method, body]) => {
        const sent = body === null ? {} : { headers: { "content-type": "application/json" }, body };
        const answer = await fetch("/api/v1" + path, { method, ...sent });
        return answer.status === 204 ? null : answer.json();
    }"""
    return await person.page.evaluate(script, [path, method, None if body is None else json.dumps(body)])


async def uploaded(person: Person, file: Path) -> str:
    """The id of the video that comes of it, whatever its state."""
    await person.see("file-input").set_input_files(str(file))
    await person.page.locator('[data-testid="upload"][data-state="done"]').wait_for(timeout=MADE_MS)
    return str((await ask(person, "/videos/mine"))["videos"][0]["id"])


async def made(person: Person, video_id: str) -> None:
    async with asyncio.timeout(MADE_MS / 1000):
        while (await ask(person, f"/videos/{video_id}"))["status"] != "ready":  # noqa: ASYNC110  # in other processes
            await asyncio.sleep(1)


async def test_a_file_is_watched_while_it_is_made_and_told_about(arrive: Arrive, films: dict[str, Path]) -> None:
    creator, viewer = await arrive(), await arrive(390, 844)
    await become_creator(creator, "Ada")
    video_id = await uploaded(creator, films["tall"])
    row = creator.see("library-row").first
    await expect(row.get_by_role("link", name="A morning by the sea").last).to_be_visible(timeout=MADE_MS)

    # Whoever has the address watches: most of it is still being made.
    await viewer.go(f"/video/{video_id}")
    await expect(viewer.see("player")).to_have_attribute("data-phase", "playing", timeout=SLOW_MS)
    await playing(viewer)
    assert (await viewer.see("video-page").get_attribute("data-status")) in {"processing", "ready"}
    await made(creator, video_id)
    await expect(viewer.see("video-page")).to_have_attribute("data-status", "ready", timeout=MADE_MS)
    await playing(viewer)

    await creator.go("/studio/videos")
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
    cookies = await creator.context.storage_state()
    await creator.page.goto("about:blank")

    elsewhere = await arrive(390, 844)
    await elsewhere.context.add_cookies(cookies["cookies"])  # type: ignore[arg-type]  # one side says more than the other
    sent: list[str] = []
    elsewhere.page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    await elsewhere.go("/studio/videos")
    left = elsewhere.see("upload")
    await expect(left).to_have_attribute("data-state", "left")
    await elsewhere.see("same-file").set_input_files(str(films["small"]))
    await expect(left).to_contain_text("another file")
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
    await viewer.page.keyboard.press("9")
    replay = viewer.see("replay-lines")
    await expect(replay).to_contain_text("what a lovely evening")
    await expect(replay).not_to_contain_text("buy my followers")
    await viewer.page.keyboard.press("0")
    await viewer.page.keyboard.press("k")
    assert len((await ask(creator, f"/videos?creator={me['id']}"))["videos"]) == 1
