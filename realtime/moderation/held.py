"""The queue of held messages: one moderator at a time has a message, one decision counts, and nobody waits for ever.

A decision is made in Redis (`features.lua`). Then, in this order: the message goes into the room's log under its own
id, the moderation log takes the decision, and the message leaves the queue. Whoever finds a decision that was begun
finishes it; each step does nothing the second time.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from infra.errors import Unavailable
from infra.stores.redis import Functions
from realtime.entries import Message, User
from realtime.errors import ChatBanned, ChatTooFast, RoomEnded
from realtime.moderation.bodies import HELD_SECONDS, Acted, Finding, HeldMessage
from realtime.moderation.deeds import Deed
from realtime.moderation.errors import HeldClaimed, HeldGone
from realtime.room.features import FeatureCalls, KnowRules, RecordOnce, id_of
from realtime.room.rounds import OpenRooms, Rounds

PARTS = ("held", "held-order", "held-done", "held-authors", "bans", "rules", "channel")
MAX_HELD = 200
CLAIM_SECONDS = 60
MANY_WAIT_MS = 30_000  # by then one of the author's ten is probably decided

Verdict = Literal["approve", "deny"]
PayBack = Callable[[Message], Awaitable[object]]  # a paid message was not let through; again changes nothing
Say = Callable[[str, Message], Awaitable[object]]
"""Puts a message into the log of that room, whatever its modes. The same message again changes nothing. Raises
`ChatBanned`, `RoomEnded`, `Unavailable`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long messages and claims are held, and how many."""

    held_seconds: float = HELD_SECONDS
    claim_seconds: float = CLAIM_SECONDS
    messages: int = MAX_HELD


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class _Decision:
    """What somebody decided, as Redis keeps it until its effects are there."""

    held_id: str
    channel_id: str
    message: Message
    verdict: Verdict
    by: User
    reason: str
    at: int

    @property
    def action_id(self) -> str:
        return id_of(self.verdict, self.message.stream_id, self.held_id)


async def nothing_owed(_: Message) -> None:
    """For rooms where nobody pays."""


class HeldQueue:
    """The held messages of all rooms. Every method raises `Unavailable` when the room's shard does not answer."""

    def __init__(
        self,
        functions: Functions,
        know_rules: KnowRules,
        say: Say,
        record: RecordOnce,
        limits: Limits = DEFAULT_LIMITS,
        pay_back: PayBack = nothing_owed,
    ) -> None:
        self._calls = FeatureCalls(functions, know_rules)
        self._say = say
        self._record = record
        self._limits = limits
        self._pay_back = pay_back
        self._rounds = Rounds("held", self.expire)

    async def add(
        self, channel_id: str, message: Message, findings: Sequence[Finding], held_seconds: float | None = None
    ) -> None:
        """Hold a message (its offset does not matter) and tell desk and author; the same one again changes nothing.

        Raises `ChatBanned`, and `ChatTooFast` when ten messages of its author wait. In a full queue the oldest expires.
        """
        user, room = message.user, message.stream_id
        held_id = id_of("held", room, user.id, message.id)
        body = _body(HeldMessage(
            id=held_id, stream_id=room, user=user, text=message.text, at=0, expires_at=0, findings=list(findings),
            paid=message.paid,
        ))  # fmt: skip
        text = msgspec.json.encode(message)
        about = (held_id, channel_id, user.id, message.id, text, body)
        limits = (int((held_seconds or self._limits.held_seconds) * 1000), self._limits.messages)
        match await self._calls.call(room, "held_add", PARTS, [room, *about, *limits]):
            case [b"many"]:
                raise ChatTooFast(retry_after_ms=MANY_WAIT_MS)
            case [b"full"]:  # 200 decisions under way: they cannot be ended early
                raise Unavailable

    async def claim(self, stream_id: str, moderator: User, held_id: str, *, release: bool = False) -> HeldMessage:
        """Have a message for CLAIM_SECONDS, again for longer, or give it back; raises `HeldGone`, `HeldClaimed`."""
        lease_ms = 0 if release else int(self._limits.claim_seconds * 1000)
        arguments = [stream_id, held_id, moderator.id, msgspec.json.encode(moderator), lease_ms]
        answer = await self._calls.call(stream_id, "held_claim", PARTS, arguments)
        if answer[0] != b"ok":
            raise await self._refused(stream_id, answer)
        return msgspec.json.decode(answer[1], type=HeldMessage)

    async def approve(self, stream_id: str, moderator: User, held_id: str) -> Acted:
        """Say the message after all; raises `HeldGone` (also when its author was banned meanwhile), `HeldClaimed`."""
        return await self._decide(stream_id, moderator, held_id, "approve", "")

    async def deny(self, stream_id: str, moderator: User, held_id: str, reason: str = "") -> Acted:
        """Refuse the message; raises `HeldGone`, `HeldClaimed`."""
        return await self._decide(stream_id, moderator, held_id, "deny", reason)

    async def list(self, stream_id: str) -> list[HeldMessage]:
        """Those that wait for a decision, oldest first."""
        found = await self._calls.call(stream_id, "held_list", PARTS)
        return [msgspec.json.decode(one, type=HeldMessage) for one in found]

    async def expire(self, stream_id: str) -> None:
        """End what is past its time or of a banned author, and finish decisions whose node did not."""
        for begun in await self._calls.call(stream_id, "held_sweep", PARTS, [stream_id]):
            await self._finish(stream_id, _decision(begun))

    async def run(self, rooms: OpenRooms) -> None:
        """Do so for the rooms that are open here, every few seconds, until cancelled."""
        await self._rounds.run(rooms)

    async def _decide(self, stream_id: str, moderator: User, held_id: str, verdict: Verdict, reason: str) -> Acted:
        arguments = [stream_id, held_id, moderator.id, msgspec.json.encode(moderator), verdict, reason]
        answer = await self._calls.call(stream_id, "held_decide", PARTS, arguments)
        if answer[0] != b"ok":
            raise await self._refused(stream_id, answer)
        decision = _decision(answer)
        if not await self._finish(stream_id, decision):
            raise HeldGone
        return Acted(action_id=decision.action_id, message="Approved." if verdict == "approve" else "Denied.")

    async def _refused(self, stream_id: str, answer: Sequence[Any]) -> Exception:
        if answer[0] == b"claimed":
            by = msgspec.json.decode(answer[1], type=User)
            return HeldClaimed(by=by.name, retry_after_ms=int(answer[2]))
        if answer[0] == b"begun":
            await self._finish(stream_id, _decision(answer))
        return HeldGone()

    async def _finish(self, stream_id: str, decision: _Decision) -> bool:
        """Bring about what was decided; False when it could not be any more."""
        outcome = "denied"
        if decision.verdict == "approve":
            outcome = await self._said(stream_id, decision.message)
        done = (outcome == "approved") == (decision.verdict == "approve")
        if done:
            await self._record(_deed(stream_id, decision))
        if outcome != "approved" and decision.message.paid is not None:
            await self._pay_back(decision.message)
        await self._calls.call(stream_id, "held_settle", PARTS, [stream_id, decision.held_id, outcome])
        return done

    async def _said(self, stream_id: str, message: Message) -> str:
        try:
            await self._say(stream_id, message)
        except ChatBanned:
            return "denied"
        except RoomEnded:
            return "expired"
        return "approved"


def _body(held: HeldMessage) -> bytes:
    """Without what Redis knows better: the times, and who has it."""
    fields = msgspec.to_builtins(held)
    for name in ("at", "expires_at", "claimed_by", "claimed_until"):
        del fields[name]
    return msgspec.json.encode(fields)


def _decision(answer: Sequence[Any]) -> _Decision:
    _, held_id, channel_id, message, verdict, by, reason, at = answer
    return _Decision(
        held_id=held_id.decode(),
        channel_id=channel_id.decode(),
        message=msgspec.json.decode(message, type=Message),
        verdict="approve" if verdict == b"approve" else "deny",
        by=msgspec.json.decode(by, type=User),
        reason=reason.decode(),
        at=int(at),
    )


def _deed(stream_id: str, decision: _Decision) -> Deed:
    message = decision.message
    return Deed(
        id=decision.action_id,
        channel_id=decision.channel_id,
        at=decision.at,
        action=decision.verdict,
        actor=decision.by,
        stream_id=stream_id,
        target=message.user,
        message_id=message.id,
        reason=decision.reason,
        snapshot={"user": msgspec.to_builtins(message.user), "text": message.text, "at": message.at},
    )
