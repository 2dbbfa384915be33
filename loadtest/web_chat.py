"""The chat of the web client in a busy room: does the page drop frames, and does its memory grow with what was said?"""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

import msgspec
from playwright.async_api import Browser, Page, async_playwright

from infra.clock import new_id
from infra.stores.redis import open_redis
from loadtest.glass import CHROMIUM, FLAGS
from loadtest.realtime.nodes import Bench, bench_platform
from loadtest.tables import percentile, table
from realtime.entries import SaidMessage, User
from realtime.room.log import Draft, Rank
from realtime.room.log_redis import RedisRoomLog, room_functions

RATE = 50  # messages a second, the goal of the issue
HEAP_RATE = 250  # to come to 10,000 messages in less than a minute
HEAP_AT = (1000, 5000, 10_000)
SETTLE_SECONDS = 3.0  # the page has loaded and joined; not part of the figure
LONG_MS = 50
WRITERS = 200
WORDS = (
    "the light goes up",
    "on a stage",
    "and everybody says",
    "hello :wave:",
    "@Ada",
    "what a night it is",
    ":laugh:",
)
METHOD = (
    "The product's own watch page (1280x800) in headless Chromium as an anonymous viewer, one real-time node, every "
    f"message appended to the room's log by the benchmark ({WRITERS} writers, 1 to 35 words, some with emotes). "
    "Frames: the time between two calls of requestAnimationFrame while the list follows its end. Heap: what V8 uses "
    f"after a forced collection, on a page of its own that was sent {HEAP_RATE} messages a second. Platform, benchmark "
    "and browser share the cores."
)
WATCH_FRAMES = """() => {
  window.__gaps = [];
  let before = performance.now();
  const frame = (now) => { window.__gaps.push(now - before); before = now; requestAnimationFrame(frame); };
  requestAnimationFrame((now) => { before = now; requestAnimationFrame(frame); });
}"""


@dataclass(frozen=True, slots=True)
class Frames:
    """What the page did while messages came; `sent` is how many there were."""

    gaps_ms: list[float]
    sent: int


async def measure(seconds: float) -> str:
    """Both figures; returns the tables."""
    async with (
        bench_platform(talkers=0) as bench,
        open_redis(bench.settings.redis) as redis,
        async_playwright() as player,
    ):
        log = RedisRoomLog(room_functions(redis))
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        frames = await _frames(bench, browser, log, seconds)
        heaps = await _heaps(bench, browser, log)
        await browser.close()
    return _tables(frames, heaps, seconds)


async def _frames(bench: Bench, browser: Browser, log: RedisRoomLog, seconds: float) -> Frames:
    async with bench.room() as stream_id:
        page = await _open(browser, bench, stream_id)
        await speak(log, stream_id, RATE, RATE * 2)
        await asyncio.sleep(SETTLE_SECONDS)
        await page.evaluate(WATCH_FRAMES)
        sent = round(RATE * seconds)
        await speak(log, stream_id, RATE, sent)
        gaps = await page.evaluate("window.__gaps")
        await page.close()
    return Frames(gaps, sent)


async def _heaps(bench: Bench, browser: Browser, log: RedisRoomLog) -> list[tuple[int, float, int]]:
    """Messages said, megabytes used, lines in the page."""
    found = []
    async with bench.room() as stream_id:
        page = await _open(browser, bench, stream_id)
        inspector = await page.context.new_cdp_session(page)
        said = 0
        for wanted in HEAP_AT:
            await speak(log, stream_id, HEAP_RATE, wanted - said)
            said = wanted
            await asyncio.sleep(SETTLE_SECONDS)
            await inspector.send("HeapProfiler.collectGarbage")
            used: dict[str, Any] = await inspector.send("Runtime.getHeapUsage")
            found.append((said, used["usedSize"] / 1e6, await page.get_by_test_id("chat-line").count()))
        await page.close()
    return found


async def _open(browser: Browser, bench: Bench, stream_id: str) -> Page:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    await page.goto(f"{bench.stack.web}/watch/{stream_id}")
    await page.locator('[data-testid="chat"][data-joined="true"]').wait_for(timeout=30_000)
    return page


async def speak(log: RedisRoomLog, stream_id: str, rate: int, count: int) -> None:
    """So many messages at this rate, each at its time, however long the ones before took."""
    world = random.Random(count)  # a repeatable conversation
    began = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        writer = world.randrange(WRITERS)
        user = User(id=f"00000000-0000-4000-8000-{writer:012}", name=f"Writer {writer}", role="viewer")
        text = " ".join(world.choices(WORDS, k=world.randint(1, 10)))
        message = SaidMessage(stream_id=stream_id, id=new_id(), at=time.time_ns() // 1_000_000, user=user, text=text)
        draft = Draft(user.id, message.id, msgspec.json.encode(message), rank=Rank.LET_THROUGH, rate_count=100_000)
        await log.append(stream_id, draft)


def _tables(frames: Frames, heaps: list[tuple[int, float, int]], seconds: float) -> str:
    gaps = frames.gaps_ms
    long = sum(gap > LONG_MS for gap in gaps)
    row = (
        f"{RATE}/s for {seconds:.0f} s",
        frames.sent,
        len(gaps),
        percentile(gaps, 0.5),
        percentile(gaps, 0.99),
        max(gaps),
        long,
        "0",
    )
    columns = ("room", "messages", "frames", "p50 ms", "p99 ms", "longest ms", f"over {LONG_MS} ms", "goal")
    smooth = table("Web chat: frames in a busy room", METHOD, columns, [row])
    flat = table("Web chat: memory", "See above.", ("messages said", "JS heap MB", "lines in the page"), heaps)
    return f"{smooth}\n{flat}"
