"""Pages of known origins read answers of the API; all others do not."""

import dataclasses

import httpx
import pytest

from infra.settings import Settings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from tests.gateway.conftest import running_node

APP = "https://app.footlight.test"
FOREIGN = ["https://evil.test", f"{APP}.evil.test", f"{APP}:8443", "null", "*"]
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


def with_origin(settings: Settings, origin: str) -> Settings:
    return dataclasses.replace(settings, web=dataclasses.replace(settings.web, origins=(origin,)))


async def test_a_known_origin_may_call_and_read_the_answer(node_settings: Settings, db: Postgres, redis: Redis) -> None:
    async with (
        running_node(with_origin(node_settings, f"{APP}/")) as node,
        httpx.AsyncClient(base_url=node, timeout=30) as client,
    ):
        asked = await client.options("/api/v1/auth/login", headers={"Origin": APP, **PREFLIGHT})
        answer = await client.get("/api/v1/streams", headers={"Origin": APP})
        refused = await client.get("/api/v1/auth/me", headers={"Origin": APP})
    assert asked.status_code == 204
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "content-type" in asked.headers["access-control-allow-headers"]
    assert (answer.status_code, refused.status_code) == (200, 401)
    for each in (asked, answer, refused):
        assert each.headers["access-control-allow-origin"] == APP
        assert each.headers["access-control-allow-credentials"] == "true"
        assert "origin" in each.headers["vary"]
    for name in ("ratelimit-remaining", "retry-after", "x-request-id"):
        assert name in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_origin_reads_nothing(node: str, origin: str) -> None:
    async with httpx.AsyncClient(base_url=node, timeout=30) as client:
        asked = await client.options("/api/v1/auth/login", headers={"Origin": origin, **PREFLIGHT})
        answer = await client.get("/api/v1/streams", headers={"Origin": origin})
    for each in (asked, answer):
        assert not [name for name in each.headers if name.startswith("access-control")]
    assert "origin" in answer.headers["vary"]
