"""Search over 100,000 videos through the HTTP API: how long do searches of several kinds take, and suggestions?"""

import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import aiohttp

from infra.clock import system_clock
from infra.local.mongo import mongo_part
from infra.local.parts import LOOPBACK, Part, free_port
from infra.local.playback_keys import kept_playback_keys
from infra.local.postgres import postgres_part
from infra.local.process import start
from infra.local.search import answers, search_part
from infra.local.valkey import form_cluster, valkey_parts
from infra.migrations.runner import migrate
from infra.settings import PlaybackSettings, PostgresSettings, Settings, load_settings
from infra.stores.mongo import open_mongo
from infra.stores.postgres import open_postgres
from infra.stores.search import open_search
from loadtest.people import address, checked
from loadtest.tables import percentile, table
from media.catalog.model import Metadata, Rendition, Video
from media.catalog.repository import VIDEOS
from media.catalog.search_index import NEXT, VideoIndex, name_of_index

VIDEOS_THERE, CREATORS, WORDS = 100_000, 2000, 20_000
REQUESTS = 150  # of each kind
BATCH = 500
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


async def measure() -> str:
    """Fill a node's stores, ask the node, and return the table."""
    writer = Writer(5)
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        async with servers(Path(folder)) as environment:
            built_seconds = await fill(load_settings(environment), writer)
            async with node(Path(folder), environment) as url:
                return await asked(url, writer, built_seconds)


async def asked(url: str, writer: Writer, built_seconds: float) -> str:
    """The table of what that node took."""
    rows = []
    async with aiohttp.ClientSession(url) as web:
        asker = Asker(web)
        for name, make in kinds(writer).items():
            times = [await asker.timed("search", make()) for _ in range(REQUESTS)]
            rows.append(row(name, times, SEARCH_GOAL_MS))
        letters = typing(writer)
        times = [await asker.timed("suggest", next(letters)) for _ in range(4 * REQUESTS)]
    rows.append(row("all searches", asker.times["search"], SEARCH_GOAL_MS))
    rows.append(row("suggestions, letter by letter", times, SUGGEST_GOAL_MS))
    method = (
        f"{VIDEOS_THERE:,} videos of {CREATORS:,} creators in made-up words ({WORDS:,} of them, by Zipf's law) on the "
        f"embedded servers, through one node of the API, one request after the other. Writing them to the index took "
        f"{built_seconds:.0f} s."
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
async def servers(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The stores that searching needs, and how a node finds them."""
    ports, bus_ports = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
    redis_parts, redis_urls = valkey_parts(folder / "redis", ports, bus_ports)
    postgres, postgres_url = postgres_part(folder / "postgres", free_port())
    mongo, mongo_url = mongo_part(folder / "mongo", free_port())
    search, search_url = search_part(folder / "search", free_port())
    async with AsyncExitStack() as stack:
        for part in (*redis_parts, postgres, mongo, search):
            part.folder.mkdir(parents=True, exist_ok=True)
            child = await start(part)
            stack.push_async_callback(child.stop)
            await child.wait_ready()
        await form_cluster(redis_urls, bus_ports)
        async with open_postgres(PostgresSettings(url=postgres_url)) as db:
            await migrate(db)
        private_key, public_keys = kept_playback_keys(folder / "playback", PlaybackSettings().key_pair_id)
        yield {
            "FOOTLIGHT_PLAYBACK_PRIVATE_KEY": str(private_key),
            "FOOTLIGHT_PLAYBACK_PUBLIC_KEYS": str(public_keys),
            "FOOTLIGHT_POSTGRES_URL": postgres_url,
            "FOOTLIGHT_REDIS_NODES": ",".join(redis_urls),
            "FOOTLIGHT_MONGO_URL": mongo_url,
            "FOOTLIGHT_MONGO_TIMEOUT": "30",
            "FOOTLIGHT_SEARCH_URL": search_url,
            "FOOTLIGHT_SEARCH_PLAIN_MIME": "true",
            "FOOTLIGHT_SEARCH_TIMEOUT": "30",  # of the filling, which is more than these servers are used to
            "FOOTLIGHT_SECRET": "of a benchmark, for nobody's tokens",
            "FOOTLIGHT_KEYS": str(folder / "keys"),
        }


@asynccontextmanager
async def node(folder: Path, environment: dict[str, str]) -> AsyncIterator[str]:
    """One node of the API; its address."""
    port = free_port()
    command = (sys.executable, "-m", "gateway", "serve", "--role", "http", "--port", str(port))
    url = f"http://{LOOPBACK}:{port}"
    part = Part(
        name="node", command=command, folder=folder, address=f"{LOOPBACK}:{port}", ready=answers(f"{url}/livez"),
        environment={**os.environ, **environment, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    child = await start(part)
    try:
        await child.wait_ready()
        yield url
    finally:
        await child.stop()


async def fill(settings: Settings, writer: Writer) -> float:
    """The documents and their index; the seconds that the index took."""
    index_seconds = 0.0
    async with open_mongo(settings.mongo) as mongo, open_search(settings.search) as search:
        index, name = VideoIndex(search), name_of_index(system_clock(), "benchmark")
        await index.begin(name)
        for first in range(0, VIDEOS_THERE, BATCH):
            made = [writer.video(number) for number in range(first, first + BATCH)]
            async with mongo.collection(VIDEOS) as videos:
                await videos.insert_many([video.to_document() for video in made], ordered=False)
            started = time.monotonic()
            await index.write([NEXT], {video.id: video for video in made})
            index_seconds += time.monotonic() - started
        await index.put_in_place(name)
    return index_seconds
