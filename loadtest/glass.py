"""Glass to glass: how old is the picture a viewer sees, from the encoder's frame to the screen of a real browser?"""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
from playwright.async_api import Browser, async_playwright

from loadtest.clock_video import READ_CLOCK, publish
from loadtest.people import become_creator, sign_up, start_stream, stop_stream
from loadtest.stack import Stack
from loadtest.tables import percentile, table

SETTLE_SECONDS = 10.0  # what a player needs to catch up after it joined; not part of the figure
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
METHOD = (
    "640x360, 30 frames a second, x264 ultrafast, a keyframe a second, published over RTMP to `footlight up`; the "
    "product's own watch page in headless Chromium; the wall clock painted into each frame is read back from the "
    "decoded picture. The first 10 s are left out. Publisher, platform and browser share two cores and one clock."
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one viewer saw."""

    ages_ms: list[float]
    stalls: int
    first_frame_ms: float


async def measure(stack: Stack, ffmpeg: str, seconds: float) -> str:
    """Both latencies, one after the other; returns the table."""
    rows = []
    async with aiohttp.ClientSession(stack.web) as web, async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        creator = await become_creator(web, await sign_up(web, 1, "Benchmark"))
        for latency, goal in (("low", 1200), ("standard", 5000)):
            stream = await start_stream(web, creator, latency)
            publisher = asyncio.create_task(publish(ffmpeg, f"{stream['ingest']['url']}/{stream['ingest']['key']}"))
            try:
                seen = await watch(browser, f"{stack.web}/watch/{stream['id']}", seconds)
            finally:
                publisher.cancel()
                await asyncio.gather(publisher, return_exceptions=True)
                await stop_stream(web, creator, stream["id"])
            rows.append(row(latency, goal, seen))
        await browser.close()
    columns = ("latency", "goal p50 ms", "p50 ms", "p95 ms", "max ms", "stalls", "first frame ms", "frames read")
    return table("Glass to glass", METHOD, columns, rows)


async def watch(browser: Browser, url: str, seconds: float) -> Seen:
    """Open the watch page, let it settle, read the clock off the screen."""
    page = await browser.new_page()
    await page.goto(url)
    video = page.get_by_test_id("video")
    await video.wait_for(timeout=30_000)
    await video.evaluate(READ_CLOCK)
    async with asyncio.timeout(60):
        # Not wait_for_function: it needs eval, which our content security policy refuses.
        while await page.evaluate("window.__seen.first") is None:  # noqa: ASYNC110  # it is in the browser
            await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE_SECONDS)
    await page.evaluate("window.__seen.ages.length = 0; window.__seen.stalls = 0")
    await asyncio.sleep(seconds)
    seen: dict[str, Any] = await page.evaluate("window.__seen")
    await page.close()
    return Seen([age for _, age in seen["ages"]], seen["stalls"], seen["first"])


def row(latency: str, goal: int, seen: Seen) -> tuple[object, ...]:
    ages = seen.ages_ms
    return (
        latency, f"<= {goal}", percentile(ages, 0.5), percentile(ages, 0.95), max(ages), seen.stalls,
        round(seen.first_frame_ms), len(ages),
    )  # fmt: skip
