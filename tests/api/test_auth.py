"""Signing up, in and out over HTTP, as docs/api.md has it."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.accounts.world import PASSWORD, World

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
    fields = {"id", "email", "display_name", "role", "subscription_tier", "created_at", "chat_color", "channels"}
    assert set(user) == fields
    assert user["created_at"].endswith("Z")
    assert (user["email"], user["display_name"]) == ("ada@example.com", "Ada")
    assert (user["role"], user["subscription_tier"]) == ("free", "free")
    me = await client.get(f"{AUTH}/me", headers=bearer(body))
    assert (me.status_code, me.json()) == (200, user)


def cookies(answer: httpx.Response) -> dict[str, set[str]]:
    """Name -> attributes of each cookie that was set, values left out."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        pair, *attributes = header.split("; ")
        found[pair.partition("=")[0]] = {attribute.lower() for attribute in attributes}
    return found


async def test_the_cookies_are_as_documented(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{AUTH}/signup", json=ADA)
    assert cookies(answer) == {
        "__Host-access": {"httponly", "secure", "samesite=lax", "path=/", "max-age=1800"},
        "__Secure-refresh": {"httponly", "secure", "samesite=strict", "path=/api/v1/auth", "max-age=604800"},
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_signing_in(client: httpx.AsyncClient) -> None:
    signed_up = await sign_up(client)
    answer = await client.post(f"{AUTH}/login", json={"email": "ADA@example.com", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["user"] == signed_up["user"]
    assert set(cookies(answer)) == {"__Host-access", "__Secure-refresh"}
    assert answer.headers["cache-control"] == "no-store"


async def test_wrong_credentials(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    for body in ({"email": "ada@example.com", "password": "x"}, {"email": "eve@example.com", "password": PASSWORD}):
        answer = await client.post(f"{AUTH}/login", json=body)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "auth.wrong_credentials"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["cache-control"] == "no-store"
        assert cookies(answer) == {}


async def test_guessing_is_refused_with_the_time_to_wait(client: httpx.AsyncClient) -> None:
    for _ in range(10):
        answer = await client.post(f"{AUTH}/login", json={"email": "ada@example.com", "password": "x"})
        assert answer.status_code == 401
    answer = await client.post(f"{AUTH}/login", json={"email": "ada@example.com", "password": "x"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (429, "auth.too_many_attempts")
    assert int(answer.headers["retry-after"]) == -(-error["details"]["retry_after_ms"] // 1000) > 0


async def test_twenty_sign_ups_at_once_make_one_account(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post(f"{AUTH}/signup", json=ADA) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} == {
        "account.email_taken"
    }


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"password": "short"}, "account.weak_password", "password"),
        ({"password": "password1"}, "account.weak_password", "password"),
        ({"password": "ada@example.com"}, "account.weak_password", "password"),
        ({"password": "p" * 129}, "request.invalid", "password"),
        ({"password": None}, "request.invalid", "password"),
        ({"email": "nobody"}, "request.invalid", "email"),
        ({"email": "a" * 250 + "@example.com"}, "request.invalid", "email"),
        ({"email": {"$gt": ""}}, "request.invalid", "email"),
        ({"email": ["ada@example.com"]}, "request.invalid", "email"),
        ({"email": "ada\x00@example.com"}, "request.invalid", "email"),
        ({"display_name": ""}, "request.invalid", "display_name"),
        ({"display_name": "x" * 41}, "request.invalid", "display_name"),
        ({"display_name": "\u202ehidden"}, "request.invalid", "display_name"),
        ({"display_name": 5}, "request.invalid", "display_name"),
        ({"role": "admin"}, "request.invalid", "role"),
    ],
)
async def test_bad_sign_ups_name_the_field(
    client: httpx.AsyncClient, changes: dict[str, Any], code: str, field: str
) -> None:
    answer = await client.post(f"{AUTH}/signup", json={**ADA, **changes})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], list(error["details"]["fields"])) == (400, code, [field])


async def test_a_missing_field_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{AUTH}/login", json={"email": "ada@example.com"})
    assert answer.json()["error"]["details"] == {"fields": {"password": "is missing"}}


async def test_refreshing_with_the_cookie(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    before = client.cookies["__Secure-refresh"]
    answer = await client.post(f"{AUTH}/refresh")
    assert answer.status_code == 200
    assert set(cookies(answer)) == {"__Host-access", "__Secure-refresh"}
    assert client.cookies["__Secure-refresh"] != before
    assert (await client.get(f"{AUTH}/me", headers=bearer(answer.json()))).status_code == 200


async def test_refreshing_with_a_body(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    token = client.cookies["__Secure-refresh"]
    client.cookies.clear()
    answer = await client.post(f"{AUTH}/refresh", json={"refresh_token": token})
    assert answer.status_code == 200


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.1.c", "\u00e9"])
async def test_refreshing_with_nothing_good(client: httpx.AsyncClient, token: str) -> None:
    for answer in (
        await client.post(f"{AUTH}/refresh"),
        await client.post(f"{AUTH}/refresh", json={"refresh_token": token}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth.session_over")


async def test_an_access_token_is_no_refresh_token(client: httpx.AsyncClient) -> None:
    session = await sign_up(client)
    client.cookies.clear()
    answer = await client.post(f"{AUTH}/refresh", json={"refresh_token": session["access_token"][:512]})
    assert answer.json()["error"]["code"] == "auth.session_over"


async def test_a_double_click_on_refresh_stays_signed_in(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    token = {"refresh_token": client.cookies["__Secure-refresh"]}
    answers = await asyncio.gather(*(client.post(f"{AUTH}/refresh", json=token) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await client.post(f"{AUTH}/refresh")).status_code == 200


async def test_signing_out_ends_the_tokens_and_the_cookies(client: httpx.AsyncClient) -> None:
    session = await sign_up(client)
    refresh = client.cookies["__Secure-refresh"]
    answer = await client.post(f"{AUTH}/logout", headers=bearer(session))
    assert (answer.status_code, answer.content) == (204, b"")
    assert cookies(answer) == {
        "__Host-access": {"httponly", "secure", "samesite=lax", "path=/", "max-age=0"},
        "__Secure-refresh": {"httponly", "secure", "samesite=strict", "path=/api/v1/auth", "max-age=0"},
    }
    over = await client.get(f"{AUTH}/me", headers=bearer(session))
    assert (over.status_code, over.json()["error"]["code"]) == (401, "auth.session_over")
    assert (await client.post(f"{AUTH}/refresh", json={"refresh_token": refresh})).status_code == 401
    assert (await client.post(f"{AUTH}/logout", headers=bearer(session))).status_code == 204


async def test_the_refresh_cookie_alone_signs_out(client: httpx.AsyncClient) -> None:
    session = await sign_up(client)
    assert (await client.post(f"{AUTH}/logout")).status_code == 204
    assert (await client.get(f"{AUTH}/me", headers=bearer(session))).status_code == 401


async def test_signing_out_without_being_signed_in_is_fine(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"{AUTH}/logout")).status_code == 204
    assert (await client.post(f"{AUTH}/logout", headers={"authorization": "Bearer nonsense"})).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "me", None),
        ("PATCH", "me", {"display_name": "x"}),
        ("POST", "password", {"current_password": "x", "new_password": "y"}),
        ("POST", "creator", None),
    ],
)
async def test_what_needs_a_user_says_why_there_is_none(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, str] | None
) -> None:
    for header, code in (({}, "auth.required"), ({"authorization": "Bearer x.y.z"}, "auth.token_invalid")):
        answer = await client.request(method, f"{AUTH}/{path}", json=body, headers=header)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


async def test_changing_the_name(client: httpx.AsyncClient) -> None:
    session = await sign_up(client)
    answer = await client.patch(f"{AUTH}/me", json={"display_name": " Countess "}, headers=bearer(session))
    assert (answer.status_code, answer.json()["display_name"]) == (200, "Countess")
    assert (await client.get(f"{AUTH}/me", headers=bearer(session))).json() == answer.json()
    wrong: list[Any] = [{"display_name": " "}, {"email": "eve@example.com"}, {}, []]
    for bad in wrong:
        refused = await client.patch(f"{AUTH}/me", json=bad, headers=bearer(session))
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "request.invalid")


async def test_changing_the_colour_of_the_name_in_chat(client: httpx.AsyncClient) -> None:
    session = await sign_up(client)
    assert session["user"]["chat_color"] is None
    for sent, stored in (("Teal", "#149c94"), ("#2B9348", "#2b9348"), (None, None)):
        answer = await client.patch(f"{AUTH}/me", json={"chat_color": sent}, headers=bearer(session))
        assert (answer.status_code, answer.json()["chat_color"]) == (200, stored)
        assert answer.json()["display_name"] == "Ada"
    for bad in ("#ffffff", "no colour", "x" * 21):
        refused = await client.patch(f"{AUTH}/me", json={"chat_color": bad}, headers=bearer(session))
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "request.invalid")
        assert set(refused.json()["error"]["details"]["fields"]) == {"chat_color"}


async def test_changing_the_password(client: httpx.AsyncClient) -> None:
    session = await sign_up(client)
    change = {"current_password": PASSWORD, "new_password": "eight blue kettles"}
    wrong = await client.post(f"{AUTH}/password", json={**change, "current_password": "wrong"}, headers=bearer(session))
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (403, "auth.wrong_password")
    weak = await client.post(f"{AUTH}/password", json={**change, "new_password": "12345678"}, headers=bearer(session))
    assert (weak.status_code, weak.json()["error"]["code"]) == (400, "account.weak_password")
    answer = await client.post(f"{AUTH}/password", json=change, headers=bearer(session))
    assert answer.status_code == 200
    assert set(cookies(answer)) == {"__Host-access", "__Secure-refresh"}
    assert (await client.get(f"{AUTH}/me", headers=bearer(session))).status_code == 401
    assert (await client.get(f"{AUTH}/me", headers=bearer(answer.json()))).status_code == 200


async def test_becoming_a_creator(client: httpx.AsyncClient) -> None:
    session = await sign_up(client)
    answer = await client.post(f"{AUTH}/creator", headers=bearer(session))
    assert (answer.status_code, answer.json()["user"]["role"]) == (200, "creator")
    assert set(cookies(answer)) == {"__Host-access"}
    assert (await client.get(f"{AUTH}/me", headers=bearer(session))).json()["role"] == "creator"


async def test_the_public_keys(client: httpx.AsyncClient, world: World) -> None:
    answer = await client.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.json() == {"keys": await world.accounts.public_keys()}
    assert "max-age=60" in answer.headers["cache-control"]
    assert all("d" not in key for key in answer.json()["keys"])
