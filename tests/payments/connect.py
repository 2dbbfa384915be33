"""A recording stand-in for the part of Stripe that pays: accounts, links, transfers, refunds, idempotency keys."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from infra.clock import system_clock
from infra.local.parts import LOOPBACK

Answer = tuple[int, dict[str, Any]]


@dataclass
class Connect:
    """What was asked for and made.

    `refuses` is the code of the next refusals, `away` answers nothing but 503, `held` lets nothing out while not set.
    """

    url: str = ""
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    transfers: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, tuple[dict[str, str], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    refuses: str | None = None
    away: bool = False
    held: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def paid_to(self, account_id: str) -> int:
        return sum(one["amount"] for one in self.transfers.values() if one["destination"] == account_id)

    def forget_keys(self) -> None:
        """A day went by."""
        self.keys.clear()

    def answer(self, method: str, path: str, fields: dict[str, str], key: str | None) -> Answer:
        self.asked.append((method, path, key))
        if self.away:
            return 503, {"error": {"type": "api_error", "message": "away"}}
        if key in self.keys:
            before, answered = self.keys[key]
            return answered if before == fields else refusal("idempotency_error", "other parameters")
        answered = self._do(method, path, fields)
        if key is not None:
            self.keys[key] = fields, answered
        return answered

    def _do(self, method: str, path: str, fields: dict[str, str]) -> Answer:
        _, _, kind, *rest = path.split("/")
        things = {"accounts": self.accounts, "transfers": self.transfers, "refunds": self.refunds}
        if method == "GET" and kind == "transfers" and not rest:
            found = [one for one in self.transfers.values() if one["destination"] == fields.get("destination")]
            return 200, {"object": "list", "data": found, "has_more": False, "url": path}
        if method == "GET":
            found_one = things[kind].get(rest[0])
            return (200, found_one) if found_one else refusal("invalid_request_error", "none", "resource_missing")
        if self.refuses:
            return refusal("invalid_request_error", "no", self.refuses)
        if kind == "account_links":
            return 200, {
                "object": "account_link", "created": 1, "expires_at": 2_000_000_000,
                "url": f"{self.url}/onboard/{fields['account']}",
            }  # fmt: skip
        made = self._made(kind, fields, len(things[kind]) + 1)
        things[kind][made["id"]] = made
        return 200, made

    def _made(self, kind: str, fields: dict[str, str], number: int) -> dict[str, Any]:
        metadata = {name[9:-1]: value for name, value in fields.items() if name.startswith("metadata[")}
        common = {"created": int(system_clock().timestamp()), "metadata": metadata}
        if kind == "accounts":
            return {
                **common, "id": f"acct_{number}", "object": "account", "country": fields["country"],
                "payouts_enabled": False, "details_submitted": False, "requirements": {"currently_due": ["iban"]},
            }  # fmt: skip
        amount = int(fields.get("amount", 0))
        if kind == "refunds":
            return {
                **common, "id": f"re_{number}", "object": "refund", "amount": amount, "currency": "eur",
                "status": "succeeded", "payment_intent": fields["payment_intent"],
            }  # fmt: skip
        return {
            **common, "id": f"tr_{number}", "object": "transfer", "amount": amount, "currency": fields["currency"],
            "destination": fields["destination"], "reversed": False, "amount_reversed": 0,
        }  # fmt: skip

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._serve_one(reader, writer)
        writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = first.split(" ")
        parts = urlsplit(target)
        fields = dict(parse_qsl(parts.query) + parse_qsl(body.decode()))
        status, said = self.answer(method, parts.path, fields, headers.get("idempotency-key"))
        await self.held.wait()
        text = msgspec.json.encode(said)
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text)
        await writer.drain()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


def refusal(kind: str, message: str, code: str | None = None) -> Answer:
    return 400, {"error": {"type": kind, "message": message, "code": code}}


@asynccontextmanager
async def connect() -> AsyncIterator[Connect]:
    """Serve until the block ends."""
    stand_in = Connect()
    stand_in.held.set()
    server = await asyncio.start_server(stand_in.serve, LOOPBACK, 0)
    stand_in.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    try:
        yield stand_in
    finally:
        server.close()
        stand_in.close()
        await server.wait_closed()
