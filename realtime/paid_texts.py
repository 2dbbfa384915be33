"""What a channel says to a text that somebody wants to pay for: before the payment, and once more when it is paid.

A paid message is bound by bans, warnings, read-only and the channel's filters, as every message is. It is not bound by
the modes that thin out a loud chat (slow, followers, subscribers, emotes, unique): that is what is paid for.
"""

from typing import Protocol

from accounts.model import Identity
from infra.clock import Clock, milliseconds
from payments.errors import PaidMessagesOff, StreamIsNotLive
from payments.model import Allowed
from realtime.entries import User
from realtime.errors import TextInvalid
from realtime.handlers.chat import Screened
from realtime.moderation.admission import admit
from realtime.moderation.capabilities import may, role_in
from realtime.moderation.errors import ChatBlocked
from realtime.ports import StreamLookup, StreamSnapshot
from realtime.room.entering import require_entering
from realtime.room.log import Draft, Rank
from realtime.room.rules import ChannelRules, Private, Rules
from realtime.room.text import clean

ON_AIR = ("live", "interrupted")


class Judge(Protocol):
    """AutoMod."""

    async def look(self, private: Private, channel_id: str, user: User, text: str) -> Screened: ...


class PaidTexts:
    """`payments.paid_messages.Texts`."""

    def __init__(self, streams: StreamLookup, truth: ChannelRules, judge: Judge, clock: Clock) -> None:
        self._streams = streams
        self._truth = truth
        self._judge = judge
        self._clock = clock

    async def look(self, who: Identity, stream_id: str, text: str) -> Allowed:
        """The text as it will be shown.

        Raises `StreamIsNotLive`, `PaidMessagesOff`, `PremiumRoom`, `TextInvalid`, `ChatBanned`, `ChatWarned`,
        `ChatReadOnly`, `ChatBlocked`, `Unavailable`.
        """
        stream = await self.live(stream_id)
        require_entering(stream, who)
        rules = await self._truth.rules(stream.creator_id)
        if rules.settings.paid_messages == "off":
            raise PaidMessagesOff
        role = role_in(stream.creator_id, rules.roles, who.user_id, who.role)
        user = User(id=who.user_id, name=who.display_name, role=role, subscriber=who.subscribes_to(stream.creator_id))
        self._admit(rules, user)
        normal = clean(text)
        if len(normal) > rules.settings.max_length:
            raise TextInvalid(reason="too_long", max_length=rules.settings.max_length)
        screened = await self.judge(rules, stream.creator_id, user, normal)
        if screened.refused:
            raise ChatBlocked(reasons=screened.refused)
        return Allowed(channel_id=stream.creator_id, text=normal)

    async def live(self, stream_id: str) -> StreamSnapshot:
        """The stream, which is on air. Raises `StreamIsNotLive`, `Unavailable`."""
        stream = await self._streams.snapshot(stream_id)
        if stream is None or stream.status not in ON_AIR:
            raise StreamIsNotLive
        return stream

    async def judge(self, rules: Rules, channel_id: str, user: User, text: str) -> Screened:
        """What AutoMod says; those it lets through always it is not asked about."""
        if may(user.role, "links"):
            return Screened()
        return await self._judge.look(rules.private, channel_id, user, text)

    def _admit(self, rules: Rules, user: User) -> None:
        rank = Rank.MODERATES if may(user.role, "moderate") else Rank.NOT_MODES
        admit(rules, Draft(user.id, "", b"", rank=rank), milliseconds(self._clock()))
