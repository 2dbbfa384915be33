"""The outside classifier of messages, when one is set up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from infra.breaker import Breaker
from infra.metrics import Metrics
from infra.settings import ClassifierSettings
from realtime.moderation.classifier import Budgeted, HttpClassifier, Unclassified


@asynccontextmanager
async def open_classifier(settings: ClassifierSettings, metrics: Metrics) -> AsyncIterator[Budgeted | None]:
    """None without an address."""
    if not settings.url:
        yield None
        return
    async with aiohttp.ClientSession() as http:
        breaker = Breaker("classifier", (TimeoutError, Unclassified), metrics)
        classifier = HttpClassifier(http, settings.url, settings.secret)
        yield Budgeted(classifier, breaker, budget_ms=settings.budget_ms, fallback=settings.fallback)
