"""One sandbox for each test that asks for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.payments.sandbox.running import Running, open_running


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Running]:
    async with open_running(tmp_path / "state.sqlite") as running:
        yield running
