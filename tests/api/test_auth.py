"""Signing up, in and out over HTTP, as docs/api.md has it."""

from typing import Any

import httpx

from tests.accounts.world import PASSWORD

ADA = {"email": "ada@example.com", "password": PASSWORD, "display_name": "Ada"}
AUTH = "/api/v1/auth"


async def sign_up(client: httpx.AsyncClient, **changes: str) -> dict[str, Any]:
    answer = await client.post(f"{AUTH}/signup", json={**ADA, **changes})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bearer(session: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {session['access_token']}"}


async def test_signing_up_signs_in(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{AUTH}/signup", json=ADA)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 1800)
    user = body["user"]
    assert set(user) == {"id", "email", "display_name", "role", "subscription_tier", "created_at"}
    assert user["created_at"].endswith("Z")
    assert (user["email"], user["display_name"]) == ("ada@example.com", "Ada")
    assert (user["role"], user["subscription_tier"]) == ("free", "free")
    me = await client.get(f"{AUTH}/me", headers=bearer(body))
    assert (me.status_code, me.json()) == (200, user)
