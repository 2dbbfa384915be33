"""Readiness is asked of the stores, but not more often than they can bear."""

import asyncio

import pytest

from gateway.addresses import TrustedProxies
from gateway.health import Health, Store
from infra.errors import Unavailable
from infra.metrics import Metrics


class Counted:
    """A store that counts who asks, and answers as long as it is `well`."""

    def __init__(self) -> None:
        self.asked = 0
        self.well = True

    async def ping(self) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if not self.well:
            raise Unavailable


def health(store: Counted) -> Health:
    return Health({"store": Store(store.ping)}, Metrics(), TrustedProxies([]))


async def test_many_who_ask_at_once_are_one_question() -> None:
    store = Counted()
    asked = health(store)
    answers = await asyncio.gather(*(asked.readiness() for _ in range(50)))
    assert {ready for ready, _ in answers} == {True}
    assert store.asked == 1


async def test_a_store_that_went_away_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.health.REMEMBER_SECONDS", 0.0)
    store = Counted()
    asked = health(store)
    assert (await asked.readiness())[0]
    store.well = False
    assert not (await asked.readiness())[0]


async def test_a_node_that_is_leaving_says_so_at_once() -> None:
    asked = health(Counted())
    assert (await asked.readiness())[0]
    asked.draining = True
    ready, report = await asked.readiness()
    assert not ready
    assert report["status"] == "draining"
