"""What the command tells Locust, and what the users of one run share."""

import time
from pathlib import Path

import msgspec
from msgspec import Struct

from loadtest.mixes import Scenario


class Caller(Struct, frozen=True, kw_only=True):
    """Somebody with an address of their own; with a token somebody who is signed in; a creator has a stream."""

    number: int
    address: str
    user_id: str = ""
    token: str = ""
    email: str = ""
    stream_id: str = ""
    ingest: str = ""  # where the encoder publishes, key included

    @property
    def auth(self) -> dict[str, str]:
        """The payload of Socket.IO's CONNECT."""
        return {"token": self.token} if self.token else {"device": f"viewer-{self.number:06}"}

    @property
    def headers(self) -> dict[str, str]:
        """The platform trusts loopback as a proxy, so the address is ours to give."""
        signed = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"X-Forwarded-For": self.address, **signed}


class Plan(Struct, frozen=True, kw_only=True):
    """A run: where the platform is, who comes. Holds tokens, so its file is for its owner only."""

    name: str
    scenario: Scenario
    nodes: list[tuple[str, int]]
    web: str
    ffmpeg: str
    password: str
    people: dict[str, list[Caller]]  # by kind of user
    result: str  # a file
    talk_began: str  # a file that is written when the talk begins


def read_plan(file: Path) -> Plan:
    return msgspec.json.decode(file.read_bytes(), type=Plan)


class Ledger:
    """Every message that was sent: when, and what offset the server said it got."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.acknowledged: dict[int, str] = {}

    def send(self, message_id: str) -> float:
        now = self.sent[message_id] = time.monotonic()
        return now

    @property
    def last(self) -> int:
        """The highest offset that must have reached everybody."""
        return max(self.acknowledged, default=0)

    def wrong(self, seen: dict[int, str]) -> int:
        """Acknowledged messages that stand elsewhere, or nowhere, in what viewers saw."""
        return sum(seen.get(offset) != message_id for offset, message_id in self.acknowledged.items())
