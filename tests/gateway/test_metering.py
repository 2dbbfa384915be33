"""Processes that serve nothing else show their figures."""

import asyncio
import urllib.error
import urllib.request

import pytest

from gateway.metering import showing
from infra.local.parts import LOOPBACK, free_port
from infra.metrics import Metrics


async def page(port: int) -> str:
    def ask() -> str:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    return await asyncio.to_thread(ask)


async def test_figures_are_there_as_long_as_the_process_runs() -> None:
    metrics, port = Metrics(), free_port()
    async with showing(metrics, LOOPBACK, port):
        metrics.archived.inc(3)
        assert "footlight_archived_total 3.0" in await page(port)
    with pytest.raises(urllib.error.URLError):
        await page(port)


async def test_two_processes_do_not_share_a_port() -> None:
    port = free_port()
    async with showing(Metrics(), LOOPBACK, port):
        with pytest.raises(OSError, match="in use"):
            async with showing(Metrics(), LOOPBACK, port):
                pass


async def test_without_a_port_nothing_is_shown() -> None:
    async with showing(Metrics(), LOOPBACK, 0):
        pass
