"""AutoMod as a node uses it: rules and terms of rooms kept ready, an outside opinion, emotes that are known."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from accounts.model import Identity
from infra.breaker import Breaker
from infra.clock import new_id, system_clock
from infra.metrics import Metrics
from realtime.entries import User
from realtime.handlers.chat import Screened
from realtime.moderation import screening
from realtime.moderation.classifier import Budgeted, Context, Fallback, Opinion, Unclassified
from realtime.moderation.facts import KnownEmotes
from realtime.moderation.screening import AutoMod
from realtime.room.rules import Private, Rules
from tests.realtime.nodes import snapshot

BLOCKED = [{"text": "spam", "kind": "blocked", "action": "refuse", "visibility": "private"}]
ADA = User(id="0190a5a0-0000-7000-8000-000000000001", name="Ada", role="viewer")


class OneRoom:
    """As much of a room as is looked at."""

    def __init__(self, automod: dict[str, Any], terms: list[dict[str, str]]) -> None:
        self.stream = snapshot(new_id())
        self.scene = self
        encode = msgspec.json.encode
        self.rules = Rules(private=Private(automod=Raw(encode(automod)), terms=Raw(encode(terms))))


async def screened(automod: AutoMod, room: Any, text: str, user: User = ADA) -> Screened:
    identity = Identity(
        user_id=user.id, display_name=user.name, role="free", subscription_tier="free", session_id="s1",
        expires_at=system_clock(),
    )  # fmt: skip
    return await automod.screen(room, user, identity, text)


async def test_terms_are_read_once_for_a_room_and_anew_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Private] = []
    compile_terms = screening._compiled

    def counted(private: Private) -> Any:
        compiled.append(private)
        return compile_terms(private)

    monkeypatch.setattr(screening, "_compiled", counted)
    automod, room = AutoMod(system_clock), OneRoom({}, BLOCKED)
    for _ in range(3):
        assert (await screened(automod, room, "spam")).refused == [
            "It contains something that is blocked in this channel."
        ]
    assert not (await screened(automod, OneRoom({}, BLOCKED), "hello")).refused  # the same, read again
    assert len(compiled) == 1
    room.rules = OneRoom({}, []).rules
    assert await screened(automod, room, "spam") == Screened()
    assert len(compiled) == 2


async def test_an_account_is_as_old_as_its_id_says() -> None:
    automod, room = AutoMod(system_clock), OneRoom({"level": 3}, [])
    assert [
        one.code for one in (await screened(automod, room, "hello", User(id=new_id(), name="New", role="viewer"))).held
    ]
    assert await screened(automod, room, "hello") == Screened()


class Opinionated:
    def __init__(self, score: float | None) -> None:
        self._score = score

    async def classify(self, text: str, context: Context) -> Opinion:
        if self._score is None:
            raise Unclassified("away")
        return Opinion(score=self._score, categories={"insult": 0.9})


@pytest.mark.parametrize(
    ("score", "fallback", "codes"),
    [(0.9, "pass", ["classifier"]), (0.1, "pass", []), (None, "pass", []), (None, "hold", ["classifier.away"])],
)
async def test_an_outside_opinion_counts_when_there_is_one(
    score: float | None, fallback: Fallback, codes: list[str]
) -> None:
    breaker = Breaker("classifier", (TimeoutError, Unclassified), Metrics())
    automod = AutoMod(system_clock, Budgeted(Opinionated(score), breaker, fallback=fallback))
    assert [one.code for one in (await screened(automod, OneRoom({}, []), "hello")).held] == codes


async def test_the_emotes_of_a_channel_are_asked_for_only_when_they_matter() -> None:
    asked: list[str] = []

    async def codes(channel_id: str) -> frozenset[str]:
        asked.append(channel_id)
        return frozenset({"ours"})

    emotes = KnownEmotes(codes)
    assert [await emotes.only("channel-1", text) for text in ("hello", "hello :ours:", ":wave:")] == [
        False,
        False,
        True,
    ]
    assert asked == []
    assert [await emotes.only("channel-1", text) for text in (":ours:", ":ours: :wave:", ":theirs:")] == [
        True,
        True,
        False,
    ]
    assert asked == ["channel-1"]
