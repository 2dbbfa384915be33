"""How soon a video can be watched: after its upload, and when somebody opens its page; and what the edge keeps away."""

import asyncio
import hashlib
import itertools
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from infra.local.environment import find_ffmpeg
from loadtest.glass import CHROMIUM, FLAGS
from loadtest.passes import cookie_of
from loadtest.people import Person, address, become_creator, checked, sign_up
from loadtest.stack import Stack
from loadtest.tables import percentile, table

UPLOADS, OPENINGS, VIEWERS, VIEWING_SECONDS = 10, 20, 300, 40
FILM_SECONDS = 60
LOOK_SECONDS = 0.25
METHOD = (
    "A film of 60 s, 854x480, 30 frames a second with noise (5 Mbit/s), made by ffmpeg; `footlight up` with one "
    "transcoder process; the product's own video page in headless Chromium, muted. Everything shares two cores. After "
    "the upload: from the call of `complete` to the first frame on the creator's page, open since before; the whole "
    "ladder (240p, 360p, 480p, sound): until the video is ready. Opening: a fresh browser profile each time, from the "
    f"navigation to the first frame. Edge: {VIEWERS} viewers that came within 10 s, each one rendition, its playlists "
    f"once and every segment in its time, {VIEWING_SECONDS} s."
)
FIRST_FRAME = """window.__first = new Promise((resolve) => {
  const look = () => {
    const video = document.querySelector("video");
    if (video) video.requestVideoFrameCallback(() => resolve(Date.now()));
    else setTimeout(look, 2);
  };
  look();
});"""


async def measure(stack: Stack) -> str:
    """The tables."""
    with tempfile.TemporaryDirectory() as folder:
        film = await asyncio.to_thread(_film, Path(folder) / "film.mp4")
        async with aiohttp.ClientSession(stack.web) as web, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            creator = await become_creator(web, await sign_up(web, 9000))
            sent = [await _sent(stack, web, browser, creator, film, number) for number in range(UPLOADS)]
            video_id = sent[-1][2]
            opened = [await _opened(stack, browser, video_id) for _ in range(OPENINGS)]
            await browser.close()
        ratios = await _edge(stack, video_id)
    first = [each[0] for each in sent]
    speeds = [FILM_SECONDS / each[1] for each in sent]
    rows = [
        ("upload complete to first frame, s", UPLOADS, percentile(first, 0.5), percentile(first, 0.95), max(first)),
        ("whole ladder, times real time", UPLOADS, percentile(speeds, 0.5), percentile(speeds, 0.05), min(speeds)),
        ("page opened to first frame, s", OPENINGS, percentile(opened, 0.5), percentile(opened, 0.95), max(opened)),
    ]
    kept = [(name, *found) for name, found in ratios.items()]
    return "\n".join([
        table("Videos", METHOD, ("what", "n", "p50", "p95 (slow end)", "worst"), rows),
        table("What the edge keeps away", "As above.", ("class", "requests", "from storage", "hit ratio %"), kept),
    ])  # fmt: skip


def _film(file: Path) -> bytes:
    command = [
        find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
        "testsrc2=size=854x480:rate=30,noise=alls=20", "-f", "lavfi", "-i", "sine=440", "-t", str(FILM_SECONDS),
        "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "5M", "-g", "60", "-c:a", "aac", "-movflags", "+faststart",
        str(file),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return file.read_bytes()


async def _sent(
    stack: Stack, web: aiohttp.ClientSession, browser: Browser, creator: Person, film: bytes, number: int
) -> tuple[float, float, str]:
    """Seconds to the first frame and until ready, and the video's id."""
    video_id = await _stored(web, creator, film, f"Film {number}")
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(stack.web)
    await _signed_in(page)
    await page.add_init_script(FIRST_FRAME)
    await page.goto(f"{stack.web}/video/{video_id}")
    await page.get_by_test_id("not-yet").wait_for()
    await asyncio.sleep(1)  # the page listens
    began = time.time()
    async with web.post(f"/api/v1/videos/{video_id}/complete", json={}, headers=creator.headers) as answer:
        await checked(answer)
    ready = asyncio.create_task(_ready(web, video_id))
    first = await page.evaluate("window.__first") / 1000 - began
    await page.locator('[data-testid="player"][data-phase="playing"]').wait_for()
    done = await ready - began
    await context.close()
    return first, done, video_id


async def _signed_in(page: Page) -> None:
    """As the one creator of the benchmark."""
    script = """async () => {
        const body = JSON.stringify({ email: "person9000@example.com", password: "correct horse battery staple" });
        await fetch("/api/v1/auth/login", { method: "POST", headers: { "content-type": "application/json" }, body });
        localStorage.setItem("footlight.signed_in", "1");
    }"""
    await page.evaluate(script)


async def _stored(web: aiohttp.ClientSession, creator: Person, data: bytes, title: str) -> str:
    """Open an upload and send its parts; `complete` is left."""
    body = {"title": title, "file_name": "film.mp4", "size_bytes": len(data)}
    async with web.post("/api/v1/videos", json=body, headers=creator.headers) as answer:
        opened = await checked(answer)
    video_id, upload = opened["video"]["id"], opened["upload"]
    parts = {n + 1: data[n * upload["part_bytes"] : (n + 1) * upload["part_bytes"]] for n in range(upload["parts"])}
    asked = [{"number": number, "sha256": hashlib.sha256(part).hexdigest()} for number, part in parts.items()]
    async with web.post(
        f"/api/v1/videos/{video_id}/upload/parts", json={"parts": asked}, headers=creator.headers
    ) as answer:
        urls = (await checked(answer))["urls"]
    async with aiohttp.ClientSession() as storage:
        for each in urls:
            async with storage.put(each["url"], data=parts[each["number"]], headers=each["headers"]) as stored:
                stored.raise_for_status()
    return str(video_id)


async def _ready(web: aiohttp.ClientSession, video_id: str) -> float:
    """When everybody is told that it is ready; asked from many addresses, as limits stay on."""
    for number in itertools.count(40_000):
        headers = {"X-Forwarded-For": address(number)}
        async with web.get(f"/api/v1/videos/{video_id}", headers=headers) as answer:
            if answer.status == 200 and (await answer.json())["status"] == "ready":
                return time.time()
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError


async def _opened(stack: Stack, browser: Browser, video_id: str) -> float:
    context = await browser.new_context()
    page = await context.new_page()
    await page.add_init_script(FIRST_FRAME)
    began = time.time()
    await page.goto(f"{stack.web}/video/{video_id}", wait_until="commit")
    seconds = await page.evaluate("window.__first") / 1000 - began
    await page.locator('[data-testid="player"][data-phase="playing"]').wait_for()
    await context.close()
    return float(seconds)


async def _edge(stack: Stack, video_id: str) -> dict[str, tuple[int, int, float]]:
    """Requests, those that reached storage, and the share that did not, for playlists and segments."""
    edge = f"http://localhost:{int(stack.web.rsplit(':', 1)[1]) + 1}"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as player:
        before = await _counted(player, edge)
        await asyncio.gather(*(_viewer(player, stack.web, video_id, number) for number in range(VIEWERS)))
        after = await _counted(player, edge)
    found: dict[str, tuple[int, int, float]] = {}
    for name in ("vod_playlist", "vod_segment"):
        gained = {source: after[name][source] - before[name][source] for source in ("hit", "coalesced", "miss")}
        total = sum(gained.values())
        found[name] = (total, gained["miss"], 100 * (total - gained["miss"]) / total)
    return found


async def _counted(player: aiohttp.ClientSession, edge: str) -> dict[str, dict[str, int]]:
    async with player.get(f"{edge}/__edge/stats") as answer:
        stats: dict[str, Any] = await answer.json()
    return dict(stats["classes"])


async def _viewer(player: aiohttp.ClientSession, web: str, video_id: str, number: int) -> None:
    await asyncio.sleep(10 * number / VIEWERS)
    async with player.get(
        f"{web}/api/v1/videos/{video_id}/playback", headers={"X-Forwarded-For": address(50_000 + number)}
    ) as answer:
        manifest = (await checked(answer))["manifest_url"]
        opens = {"Cookie": cookie_of(answer.headers.getall("Set-Cookie"))}
    folder = manifest.rpartition("/")[0]
    rendition = ("240p", "360p", "480p")[number % 3]
    for name in ("index.m3u8", f"{rendition}.m3u8", "audio.m3u8", f"{rendition}/init.mp4", "audio/init.mp4"):
        await _got(player, f"{folder}/{name}", opens)
    began, first = time.monotonic(), number % 5
    for segment in range(first, first + VIEWING_SECONDS // 2):
        await _got(player, f"{folder}/{rendition}/{segment}.m4s", opens)
        await _got(player, f"{folder}/audio/{segment}.m4s", opens)
        await asyncio.sleep(max(0.0, began + 2 * (segment - first + 1) - time.monotonic()))


async def _got(player: aiohttp.ClientSession, url: str, opens: dict[str, str]) -> None:
    async with player.get(url, headers=opens) as answer:
        await answer.read()
        answer.raise_for_status()
