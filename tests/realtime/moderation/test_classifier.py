"""The classifier's door, asked over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from infra.breaker import Breaker, Rules
from infra.local.parts import free_port
from infra.metrics import Metrics
from realtime.moderation.classifier import (
    SIGNATURE,
    Budgeted,
    Context,
    HttpClassifier,
    Opinion,
    Unclassified,
    signature,
)

CONTEXT = Context(channel_id="c1", language="en")
SECRET = "shared"


@dataclass
class Service:
    """Answers with `body` after `seconds`, and keeps what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b'{"score": 0.75, "categories": {"spam": 0.75}}'
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[bytes, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((await request.read(), request.headers[SIGNATURE]))
        await self.answers.wait()
        return web.Response(status=self.status, body=self.body)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    service.answers.set()
    app = web.Application()
    app.router.add_post("/", service.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    service.url = f"http://127.0.0.1:{port}/"
    yield service
    service.answers.set()
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def budgeted(http: aiohttp.ClientSession, url: str, *, budget_ms: int = 5_000) -> Budgeted:
    breaker = Breaker(
        "classifier", (TimeoutError, Unclassified), Metrics(), rules=Rules(consecutive=2, open_seconds=600)
    )
    return Budgeted(HttpClassifier(http, url, SECRET), breaker, budget_ms=budget_ms, fallback="hold")


async def test_the_question_is_signed_and_the_answer_is_read(service: Service, http: aiohttp.ClientSession) -> None:
    asked = budgeted(http, service.url)
    assert await asked.classify("hello", CONTEXT) == Opinion(score=0.75, categories={"spam": 0.75})
    [(body, signed)] = service.asked
    assert json.loads(body) == {"text": "hello", "channel_id": "c1", "language": "en"}
    assert signed == signature(SECRET.encode(), body)
    assert asked.counts == {"answered": 1}


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (302, b""), (200, b"no json"), (200, b'{"score": 7}'), (200, b"[" * 100_000)],
)
async def test_a_wrong_answer_is_none(service: Service, http: aiohttp.ClientSession, status: int, body: bytes) -> None:
    service.status, service.body = status, body
    asked = budgeted(http, service.url)
    assert await asked.classify("hello", CONTEXT) is None
    assert asked.counts == {"failed": 1}


async def test_a_late_answer_is_not_waited_for_and_a_dead_service_is_not_asked(
    service: Service, http: aiohttp.ClientSession
) -> None:
    service.answers.clear()
    asked = budgeted(http, service.url, budget_ms=50)
    assert [await asked.classify("hello", CONTEXT) for _ in range(5)] == [None] * 5
    assert asked.counts == {"late": 2, "skipped": 3}
    assert asked.fallback == "hold"


async def test_nobody_listening_is_none(http: aiohttp.ClientSession) -> None:
    asked = budgeted(http, f"http://127.0.0.1:{free_port()}/")
    assert await asked.classify("hello", CONTEXT) is None
    assert asked.counts == {"failed": 1}


async def test_whatever_a_classifier_raises_stays_there() -> None:
    class Broken:
        async def classify(self, text: str, context: Context) -> Opinion:
            raise ZeroDivisionError

    asked = Budgeted(Broken(), Breaker("classifier", (Unclassified,), Metrics()))
    assert await asked.classify("hello", CONTEXT) is None
    assert asked.counts == {"failed": 1}
