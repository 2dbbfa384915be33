"""AutoMod as a node uses it: the channel's rules and terms kept ready, and an outside opinion when one is set up."""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

import msgspec

from accounts.model import Identity
from infra.clock import Clock
from infra.logs import get_logger
from realtime.entries import User
from realtime.handlers.chat import Screened
from realtime.moderation.automod import AutoModRules, Facts, Hold, Reason, Refuse, judge
from realtime.moderation.bodies import Finding
from realtime.moderation.classifier import Budgeted, Context
from realtime.moderation.terms import Term, Terms
from realtime.room.local import Room
from realtime.room.rules import Private

MAX_READY = 200  # rooms whose terms are compiled; 5,000 terms take some tens of milliseconds
HOLD_FROM_SCORE = 0.8

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Ready:
    rules: AutoModRules
    terms: Terms
    idle: bool  # nothing is set: no text needs to be looked at


class AutoMod:
    """`realtime.handlers.chat.Screening`. `classifier` None means that nobody else is asked."""

    def __init__(self, clock: Clock, classifier: Budgeted | None = None) -> None:
        self._clock = clock
        self._classifier = classifier
        self._ready: OrderedDict[int, tuple[Private, _Ready]] = OrderedDict()

    async def screen(self, room: Room, user: User, identity: Identity, text: str) -> Screened:
        return await self.look(room.scene.rules.private, room.stream.creator_id, user, text)

    async def look(self, private: Private, channel_id: str, user: User, text: str) -> Screened:
        """What a channel with these rules says to a text of this user."""
        ready = self._ready_for(private)
        if ready.idle:
            return await self._opinion(channel_id, text) if self._classifier is not None else Screened()
        facts = Facts(
            account_age_seconds=self._account_age(user.id),
            follows_for_seconds=None,
            is_subscriber=user.subscriber,
            is_vip=user.role == "vip",
        )
        verdict = judge(text, facts, ready.rules, ready.terms)
        if isinstance(verdict, Refuse):
            return Screened(refused=[reason.public for reason in verdict.reasons])
        if isinstance(verdict, Hold):
            return Screened(held=[_finding(reason) for reason in verdict.reasons])
        return await self._opinion(channel_id, text) if self._classifier is not None else Screened()

    async def _opinion(self, channel_id: str, text: str) -> Screened:
        assert self._classifier is not None  # noqa: S101 - `screen` asks only then
        opinion = await self._classifier.classify(text, Context(channel_id=channel_id))
        if opinion is None:
            nobody = Finding(code="classifier.away", detail="The classifier did not answer.", start=0, end=0)
            return Screened(held=[nobody]) if self._classifier.fallback == "hold" else Screened()
        if opinion.score < HOLD_FROM_SCORE:
            return Screened()
        named = ", ".join(sorted(opinion.categories, key=lambda name: -opinion.categories[name])[:3])
        detail = f"classifier: {opinion.score:.2f} {named}".strip()
        return Screened(held=[Finding(code="classifier", detail=detail, start=0, end=len(text))])

    def _ready_for(self, private: Private) -> _Ready:
        # By identity, which holds as long as the object is kept here: the terms of a channel may be 2 MB, too much to
        # look at for each message.
        name = id(private)
        if name not in self._ready:
            same = next((ready for kept, ready in self._ready.values() if kept == private), None)
            self._ready[name] = private, same or _compiled(private)
            if len(self._ready) > MAX_READY:
                self._ready.popitem(last=False)
        self._ready.move_to_end(name)
        return self._ready[name][1]

    def _account_age(self, user_id: str) -> float:
        """Ids are UUIDs of version 7: they begin with the milliseconds of their making (RFC 9562, 5.7)."""
        try:
            made = (UUID(user_id).int >> 80) / 1000
        except ValueError:
            return 0.0
        return max(0.0, self._clock().timestamp() - made)


def _compiled(private: Private) -> _Ready:
    rules = msgspec.json.decode(private.automod, type=AutoModRules)
    terms = msgspec.json.decode(private.terms, type=list[Term])
    return _Ready(rules, Terms.compile(terms), idle=not terms and rules == AutoModRules())


def _finding(reason: Reason) -> Finding:
    start, end = reason.span or (0, 0)
    return Finding(code=reason.code, detail=reason.detail, start=start, end=end)
