"""Whatever is sent to the API, it answers as its own OpenAPI document says, and never with a 5xx."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from infra.clock import system_clock
from infra.settings import Settings
from infra.stores.mongo import open_mongo
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from infra.stores.search import open_search
from media.catalog.indexer import Indexer, postgres_lock
from media.catalog.search_index import VideoIndex
from tests.gateway.conftest import running_node

# For an anonymous asker most answers are the same 401, so the cases that cover each bound are left to the other role.
EXAMPLES = {"anonymous": 2, "creator": 3}
PHASES = {"anonymous": "examples,fuzzing", "creator": "examples,coverage,fuzzing"}
SIGN_UP = {"email": "fuzz@example.com", "password": "a long enough pass phrase", "display_name": "Fuzz"}
# Other checks probe what no document describes (TRACE, odd methods).
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture
async def generous_node(node_settings: Settings, db: Postgres, redis: Redis) -> AsyncIterator[str]:
    """Thousands of requests from one address: the limits are tested elsewhere."""
    await build_index(node_settings, db)
    web = replace(node_settings.web, user_limit_per_minute=1_000_000, address_limit_per_minute=1_000_000)
    async with running_node(replace(node_settings, web=web)) as address:
        yield address


async def build_index(settings: Settings, db: Postgres) -> None:
    """A worker does it elsewhere; without it search answers 503, and rightly."""
    async with open_search(settings.search) as search, open_mongo(settings.mongo) as mongo:
        await Indexer(VideoIndex(search), mongo, system_clock, postgres_lock(db)).tend()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ["anonymous", "creator"])
async def test_no_input_breaks_the_api(generous_node: str, role: str, tmp_path: Path) -> None:
    examples = str(EXAMPLES[role])
    # One worker: threads that parse sources at once break CPython 3.11 ("AST constructor recursion depth mismatch").
    options = ["--checks", CHECKS, "--max-examples", examples, "--no-shrink", "--seed", "7"]
    if role != "anonymous":
        options += ["-H", f"Authorization: Bearer {await token_of(generous_node, role)}"]
        options += ["--exclude-path-regex", "logout|password"]  # they would end the sign-in the run depends on
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{generous_node}/openapi.json", "--no-color",
        "--phases", PHASES[role], "--generation-database", ":memory:", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]


async def token_of(node: str, role: str) -> str:
    async with httpx.AsyncClient(base_url=node, timeout=30) as client:
        session = (await client.post("/api/v1/auth/signup", json=SIGN_UP)).json()
        if role == "creator":
            fields = {"Authorization": f"Bearer {session['access_token']}"}
            session = (await client.post("/api/v1/auth/creator", headers=fields)).json()
    token: str = session["access_token"]
    return token
