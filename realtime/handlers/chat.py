"""Saying something: who may, what AutoMod thinks of it, and then into the room's log."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec

from accounts.model import Identity
from infra.clock import Clock, milliseconds
from realtime.connections import Connection
from realtime.entries import Message, Reply, SaidMessage, User
from realtime.events import MessageSent, ReplyTo, SendMessage
from realtime.handlers.room import joined_room, signed_in
from realtime.moderation.admission import admit
from realtime.moderation.bodies import Finding
from realtime.moderation.capabilities import may
from realtime.moderation.errors import ChatBlocked, MessageGone
from realtime.moderation.fold import skeleton
from realtime.room.local import Room
from realtime.room.log import RATE_COUNT, Draft, FollowUnknown, Position, Rank, RoomLog
from realtime.room.rooms import Rooms
from realtime.room.text import clean

MODERATORS_RATE = 100  # in 30 s; everybody else 20
HELD_RATE = 1_000_000  # a message that was let through was counted when it was held


class Screened(msgspec.Struct, frozen=True):
    """What AutoMod says: `refused` for the author in words, or `held` with findings for moderators, or neither."""

    refused: list[str] = []
    held: list[Finding] = []


class Screening(Protocol):
    async def screen(self, room: Room, user: User, identity: Identity, text: str) -> Screened: ...


class Holding(Protocol):
    async def add(self, channel_id: str, message: Message, findings: Sequence[Finding]) -> None:
        """Put it into the room's held queue; the same message again changes nothing."""
        ...


class Following(Protocol):
    async def since(self, channel_id: str, user_id: str) -> int | None:
        """Since when they follow, in Unix milliseconds."""
        ...


OnlyEmotes = Callable[[str, str], Awaitable[bool]]
"""Whether a text is nothing but emotes of this channel, by its id."""


class ChatRules(Protocol):
    """What a message goes through (see `realtime.moderating.Moderating`)."""

    @property
    def room_log(self) -> RoomLog: ...

    @property
    def screening(self) -> Screening: ...

    @property
    def holding(self) -> Holding: ...

    @property
    def following(self) -> Following: ...

    @property
    def only_emotes(self) -> OnlyEmotes: ...


class ChatHandlers:
    def __init__(self, rooms: Rooms, rules: ChatRules, clock: Clock) -> None:
        self._rooms = rooms
        self._log = rules.room_log
        self._screening = rules.screening
        self._holding = rules.holding
        self._following = rules.following
        self._only_emotes = rules.only_emotes
        self._clock = clock

    async def send(self, who: Connection, body: SendMessage) -> MessageSent:
        room = joined_room(self._rooms, who, body.stream_id)
        user = signed_in(room, who)
        said = SaidMessage(
            stream_id=room.id,
            id=body.id,
            at=milliseconds(self._clock()),
            user=user,
            text=clean(body.text),
            me=body.me,
            reply=_reply(room, body.reply_to) if body.reply_to is not None else None,
        )
        draft = await self._draft(room, said)
        # Who is banned is refused by the log, which also knows what they said before; nobody has to look at the text.
        looked_at = not may(user.role, "links") and room.sanction_of(user.id) is None
        if looked_at and who.identity is not None:
            screened = await self._screening.screen(room, user, who.identity, said.text)
            if screened.refused:
                raise ChatBlocked(reasons=screened.refused)
            if screened.held:
                await self._hold(room, draft, said, screened.held)
                return MessageSent(offset=0, held=True)
        place = await self._append(room, draft)
        return MessageSent(offset=place.offset)

    async def _draft(self, room: Room, said: SaidMessage) -> Draft:
        """With what the room's modes ask for, and no more: folding a text costs more than all the rest."""
        draft, settings = draft_of(said, ended=room.stream.status == "ended"), room.scene.settings
        if settings.emote_only:
            draft = replace(draft, emotes_only=await self._only_emotes(room.stream.creator_id, said.text))
        if settings.unique_chat:
            draft = replace(draft, fingerprint=fingerprint_of(said.text))
        return draft

    async def _append(self, room: Room, draft: Draft) -> Position:
        try:
            return await self._log.append(room.id, draft)
        except FollowUnknown:
            return await self._log.append(room.id, await self._with_follow(room, draft))

    async def _hold(self, room: Room, draft: Draft, said: SaidMessage, findings: list[Finding]) -> None:
        """Who may not speak may not fill the queue either."""
        await self._log.pace(room.id, draft)
        if room.scene.settings.followers_seconds is not None:
            draft = await self._with_follow(room, draft)
        admit(room.scene.rules, draft, milliseconds(self._clock()))
        message = Message(offset=0, **{name: getattr(said, name) for name in said.__struct_fields__})
        await self._holding.add(room.stream.creator_id, message, findings)

    async def _with_follow(self, room: Room, draft: Draft) -> Draft:
        since = await self._following.since(room.stream.creator_id, draft.user_id)
        return replace(draft, follow_known=True, followed_at=since)


async def let_through(room_log: RoomLog, stream_id: str, message: Message) -> int:
    """Say a held message after all; its offset. The same one again gets the same answer.

    Raises `ChatBanned`, `RoomEnded`, `Unavailable`.
    """
    if (found := await room_log.find(stream_id, message.user.id, message.id)) is not None:
        # Said already, longer ago than the log remembers ids; a moderator may have removed it since.
        return msgspec.json.decode(found, type=_Placed).offset
    said = msgspec.convert(message, type=SaidMessage, from_attributes=True)
    draft = replace(draft_of(said), rank=Rank.LET_THROUGH, rate_count=HELD_RATE)
    return (await room_log.append(stream_id, draft)).offset


class _Placed(msgspec.Struct):
    offset: int


def draft_of(said: SaidMessage, *, ended: bool = False) -> Draft:
    """What the log needs to know of a message."""
    user = said.user
    moderates = may(user.role, "moderate")
    rank = Rank.MODERATES if moderates else Rank.NOT_MODES if may(user.role, "skip_modes") else Rank.EVERYTHING
    return Draft(
        user.id,
        said.id,
        msgspec.json.encode(said),
        rank=rank,
        rate_count=MODERATORS_RATE if moderates else RATE_COUNT,
        ended=ended,
        subscriber=user.subscriber,
    )


def fingerprint_of(text: str) -> bytes:
    """The same for texts that differ in case, accents or look-alikes alone."""
    return hashlib.blake2b(skeleton(text).encode(), digest_size=12).hexdigest().encode()


def _reply(room: Room, asked: ReplyTo) -> Reply:
    line = room.lines.find(f"{asked.user_id} {asked.id}".encode())
    if line is None:
        raise MessageGone
    message = msgspec.json.decode(line.entry, type=_Quoted)
    answered = message.message or message
    name = answered.user.name if answered.user is not None else ""
    return Reply(id=asked.id, user_id=asked.user_id, name=name)


class _Quoted(msgspec.Struct):
    """As much of a line as an answer needs; one that was restored has its message inside."""

    user: User | None = None
    message: "_Quoted | None" = None
