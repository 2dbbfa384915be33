"""The list of held messages over HTTP; what is on it is tested with the queue."""

from typing import Any

import httpx
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.types import Receive, Scope, Send

from accounts.model import Identity
from api import identity
from api.errors import HANDLERS
from api.held import HeldController
from infra.clock import system_clock
from realtime.entries import User
from realtime.moderation.bodies import Finding, HeldMessage
from realtime.moderation.errors import NotAllowed

WAITING = HeldMessage(
    id="held-1",
    stream_id="stream-1",
    user=User(id="ada", name="Ada", role="viewer"),
    text="spam?",
    at=1,
    expires_at=300_001,
    findings=[Finding(code="term", detail="spam", start=0, end=4)],
)


class Queue:
    """`mira` moderates `channel-1`."""

    async def held_in(self, channel_id: str, identity: Identity) -> list[HeldMessage]:
        if (channel_id, identity.user_id) != ("channel-1", "mira"):
            raise NotAllowed(capability="moderate")
        return [WAITING]


async def asked(user_id: str | None) -> httpx.Response:
    async def queue() -> Queue:
        return Queue()

    app = Litestar(
        [Router("/api/v1", route_handlers=[HeldController])],
        dependencies={"held_queue": Provide(queue), "identity": Provide(identity.identity)},
        exception_handlers=HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    who = Identity(
        user_id=user_id or "", display_name="M", role="free", subscription_tier="free", session_id="s",
        expires_at=system_clock(),
    )  # fmt: skip

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        state: dict[str, Any] = {"identity": who if user_id else None, "auth_error": None}
        scope["state"] = state
        await app(scope, receive, send)

    transport = httpx.ASGITransport(gateway)  # type: ignore[arg-type]  # Litestar's names for the same three
    async with httpx.AsyncClient(transport=transport, base_url="https://footlight.test") as client:
        return await client.get("/api/v1/channels/channel-1/held")


async def test_moderators_are_given_the_queue() -> None:
    answer = await asked("mira")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    [held] = answer.json()["held"]
    assert (held["id"], held["user"]["name"], held["findings"][0]["detail"]) == ("held-1", "Ada", "spam")
    assert (held["claimed_by"], held["expires_at"]) == (None, 300_001)


async def test_nobody_else_is() -> None:
    assert (await asked("ada")).status_code == 403
    assert (await asked(None)).status_code == 401
