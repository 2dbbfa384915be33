"""Search over 100,000 videos through the HTTP API: how long do searches of several kinds take, and suggestions?"""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

import aiohttp

from infra.clock import system_clock
from infra.local.folder import environment_of
from infra.settings import load_settings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.postgres import open_postgres
from infra.stores.search import open_search
from loadtest.people import address, checked
from loadtest.stack import Stack
from loadtest.tables import percentile, table
from media.catalog.indexer import AlreadyBuilding, Indexer, postgres_lock
from media.catalog.model import Metadata, Rendition, Video
from media.catalog.repository import VIDEOS
from media.catalog.search_index import VideoIndex

VIDEOS_THERE, CREATORS, WORDS = 100_000, 2000, 20_000
REQUESTS = 150  # of each kind
BATCH = 1000
START = datetime(2024, 1, 1, tzinfo=UTC)
STARTS, ENDS = re.split(" ", "b c d f g h k l m n p r s t v w z br st tr"), re.split(" ", "a e i o u ai on er")
SYLLABLES = [start + end for start in STARTS for end in ENDS]
CATEGORIES = ("Music", "Games", "Sport", "Cooking", "Travel", "Science", "Talk", "Art")
SEARCH_GOAL_MS, SUGGEST_GOAL_MS = 50, 30

Params = dict[str, Any]


class Writer:
    """Writes words as people do: few often, most seldom (Zipf's law). The same words for the same seed."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        made: dict[str, None] = {}
        while len(made) < WORDS:
            made["".join(self.dice.choices(SYLLABLES, k=self.dice.randint(2, 4)))] = None
        self.words = list(made)
        self.weights = list(accumulate(1 / (rank + 10) for rank in range(WORDS)))
        self.creators = [(str(UUID(int=n)), self.text(2).title()) for n in range(CREATORS)]

    def text(self, count: int) -> str:
        return " ".join(self.dice.choices(self.words, cum_weights=self.weights, k=count))

    def misspelt(self, word: str) -> str:
        at = self.dice.randrange(1, len(word))
        return word[:at] + self.dice.choice("aeioubcd") + word[at + 1 :]

    def video(self, number: int) -> Video:
        creator_id, name = self.dice.choice(self.creators)
        at = START + timedelta(minutes=7 * number)
        return Video(
            id=str(UUID(int=(int(at.timestamp() * 1000) << 80) | number)),
            creator_id=creator_id,
            creator_name=name,
            title=self.text(self.dice.randint(3, 8)).capitalize(),
            description=self.text(self.dice.randint(5, 40)),
            tags=self.text(self.dice.randint(0, 4)).split(),
            category=self.dice.choice(CATEGORIES),
            visibility=self.dice.choices(("public", "premium", "unlisted", "private"), (80, 15, 3, 2))[0],
            status="ready",
            build="build0000000",
            playback_urls=[Rendition("480p", f"/vod/{number}/480p.m3u8", 854, 480, 900_000)],
            metadata=Metadata(duration=round(self.dice.expovariate(1 / 600), 1), file_size=10_000_000),
            view_count=int(self.dice.paretovariate(0.5)) % 1_000_000,
            created_at=at,
            updated_at=at,
            published_at=at,
            announced=True,
        )


def kinds(writer: Writer) -> dict[str, Callable[[], Params]]:
    """What is asked, by name."""
    text, dice = writer.text, writer.dice
    return {
        "one word": lambda: {"q": text(1)},
        "two words": lambda: {"q": text(2)},
        "three words": lambda: {"q": text(3)},
        "a creator's name": lambda: {"q": dice.choice(writer.creators)[1]},
        "a misspelt word": lambda: {"q": writer.misspelt(text(1))},
        "two words, one misspelt": lambda: {"q": f"{text(1)} {writer.misspelt(text(1))}"},
        "a phrase": lambda: {"q": f'"{text(2)}"'},
        "a word, of a category and length": lambda: {
            "q": text(1), "category": dice.choice(CATEGORIES), "min_seconds": 60, "max_seconds": 900,
        },
        "a word, most viewed": lambda: {"q": text(1), "sort": "views"},
        "no words, of one creator": lambda: {"creator": dice.choice(writer.creators)[0]},
        "no words, premium of a month": lambda: {
            "premium": "true", "from": (START + timedelta(days=dice.randrange(400))).isoformat(), "category": "Music",
        },
        "no words at all": dict,
    }  # fmt: skip


def typing(writer: Writer) -> Iterator[Params]:
    """What the page asks while people type, letter by letter."""
    while True:
        word = writer.text(1)
        for length in range(1, min(len(word), 7) + 1):
            yield {"q": word[:length]}


async def measure(stack: Stack) -> str:
    """Fill the platform, ask, and return the table."""
    writer = Writer(5)
    async with stores(stack) as (mongo, indexer):
        await fill(mongo, writer)
        started = time.monotonic()
        await build(indexer)
        built_seconds = time.monotonic() - started
    rows = []
    async with aiohttp.ClientSession(stack.web) as web:
        asker = Asker(web)
        for name, make in kinds(writer).items():
            times = [await asker.timed("search", make()) for _ in range(REQUESTS)]
            rows.append(row(name, times, SEARCH_GOAL_MS))
        asked = typing(writer)
        times = [await asker.timed("suggest", next(asked)) for _ in range(4 * REQUESTS)]
    rows.append(row("all searches", asker.times["search"], SEARCH_GOAL_MS))
    rows.append(row("suggestions, letter by letter", times, SUGGEST_GOAL_MS))
    method = (
        f"{VIDEOS_THERE:,} videos of {CREATORS:,} creators in made-up words ({WORDS:,} of them, by Zipf's law) on the "
        f"embedded servers of `footlight up`, through its front door, one request after the other. Building the index "
        f"of them took {built_seconds:.0f} s."
    )
    columns = ("asked for", "requests", "p50 ms", "p95 ms", "p99 ms", "goal p95 ms")
    return table("Search", method, columns, rows)


def row(name: str, times: list[float], goal_ms: int) -> tuple[object, ...]:
    return (name, len(times), *(percentile(times, share) for share in (0.5, 0.95, 0.99)), f"<= {goal_ms}")


class Asker:
    """Asks from a new address each time, since an address may only ask so often."""

    def __init__(self, web: aiohttp.ClientSession) -> None:
        self._web = web
        self._asked = 0
        self.times: dict[str, list[float]] = {"search": [], "suggest": []}

    async def timed(self, what: str, params: Params) -> float:
        """Milliseconds until the whole answer was there."""
        self._asked += 1
        headers = {"X-Forwarded-For": address(self._asked)}
        started = time.perf_counter()
        async with self._web.get(f"/api/v1/videos/{what}", params=params, headers=headers) as answer:
            await checked(answer)
        took = (time.perf_counter() - started) * 1000
        self.times[what].append(took)
        return took


@asynccontextmanager
async def stores(stack: Stack) -> AsyncIterator[tuple[Mongo, Indexer]]:
    """The stores of the running platform."""
    settings = load_settings({**environment_of(stack.folder), **os.environ})
    async with (
        open_mongo(settings.mongo) as mongo,
        open_search(settings.search) as search,
        open_postgres(settings.postgres) as db,
    ):
        yield mongo, Indexer(VideoIndex(search), mongo, system_clock, postgres_lock(db))


async def fill(mongo: Mongo, writer: Writer) -> None:
    for first in range(0, VIDEOS_THERE, BATCH):
        numbers = range(first, first + BATCH)
        async with mongo.collection(VIDEOS) as videos:
            await videos.insert_many([writer.video(number).to_document() for number in numbers], ordered=False)


async def build(indexer: Indexer) -> None:
    """Once the worker, who builds the first one, is done with it."""
    while True:
        try:
            await indexer.rebuild()
        except AlreadyBuilding:
            await asyncio.sleep(1)
        else:
            return
