"""Accounts for load: each with a token and an address of its own, so that limits stay on and count each alone."""

from dataclasses import dataclass
from typing import Any

import aiohttp

PASSWORD = "correct horse battery staple"  # noqa: S105  # of throw-away accounts on a throw-away platform


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in."""

    id: str
    token: str
    address: str

    @property
    def headers(self) -> dict[str, str]:
        """The platform trusts loopback as a proxy, so the address is ours to give."""
        return {"Authorization": f"Bearer {self.token}", "X-Forwarded-For": self.address}


def address(number: int) -> str:
    """An address from 198.18.0.0/15, which is set aside for benchmarks (RFC 2544)."""
    return f"198.{18 + (number >> 16 & 1)}.{number >> 8 & 255}.{number & 255}"


async def sign_up(web: aiohttp.ClientSession, number: int, name: str = "") -> Person:
    """A new account."""
    body = {"email": f"person{number}@example.com", "password": PASSWORD, "display_name": name or f"Person {number}"}
    headers = {"X-Forwarded-For": address(number)}
    async with web.post("/api/v1/auth/signup", json=body, headers=headers) as answer:
        session = await checked(answer)
    return Person(session["user"]["id"], session["access_token"], address(number))


async def become_creator(web: aiohttp.ClientSession, person: Person) -> Person:
    """The same account as a creator."""
    async with web.post("/api/v1/auth/creator", headers=person.headers) as answer:
        session = await checked(answer)
    return Person(person.id, session["access_token"], person.address)


async def start_stream(web: aiohttp.ClientSession, creator: Person, latency: str = "low") -> dict[str, Any]:
    """A stream that waits for its encoder."""
    body = {"title": "Benchmark", "latency": latency}
    async with web.post("/api/v1/streams/start", json=body, headers=creator.headers) as answer:
        return await checked(answer)


async def stop_stream(web: aiohttp.ClientSession, creator: Person, stream_id: str) -> None:
    async with web.post(f"/api/v1/streams/{stream_id}/stop", headers=creator.headers) as answer:
        await checked(answer)


async def checked(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """The body of a good answer; anything else ends the run with what was said."""
    body: dict[str, Any] = await answer.json()
    if answer.status >= 400:
        raise RuntimeError(f"{answer.method} {answer.url.path}: {answer.status} {body}")
    return body
