"""One recording for all tests of the protocol."""

import pytest

from tests.media.ingest.sessions import record


@pytest.fixture(scope="session")
async def recorded() -> bytes:
    return await record(seconds=0.6, keyframe_seconds=0.2)
