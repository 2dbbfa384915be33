"""Everything that channels decide about their rooms, put together: for the nodes that hold rooms and for the API.

Moderation  decides and records (PostgreSQL)          Projection  brings rooms to the newest revision (Redis)
HeldQueue, Polls, Reactions, Raids  live on the room's shard; what comes of them is recorded the same way
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.clock import Clock
from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.bodies import Answer, Body
from realtime.connections import Connection
from realtime.entries import Message, User
from realtime.events import MOD_EVENTS
from realtime.gifts import GiftLog
from realtime.handlers.chat import ChatHandlers, OnlyEmotes, let_through
from realtime.handlers.commands import CommandHandlers
from realtime.handlers.features import FeatureHandlers
from realtime.handlers.moderator import ModeratorHandlers
from realtime.handlers.room import joined_room, signed_in
from realtime.moderating import Handler
from realtime.moderation.actions import ACTIONS, Moderation
from realtime.moderation.classifier import Budgeted
from realtime.moderation.facts import KnownEmotes, KnownFollows, LogMessages, RoomFacts, emotes_of
from realtime.moderation.follows import Follows
from realtime.moderation.held import HeldQueue
from realtime.moderation.live import LiveChannels
from realtime.moderation.names import PeopleByName
from realtime.moderation.once import Once
from realtime.moderation.screening import AutoMod
from realtime.moderation.truth import ChannelTruth
from realtime.paid import PaidDelivery, PaidLog
from realtime.paid_texts import PaidTexts
from realtime.ports import StreamLookup, ViewerCounts
from realtime.present import RoomsWithPeople
from realtime.room.features import feature_functions
from realtime.room.feed import RoomFeed
from realtime.room.log_redis import RedisRoomLog, room_functions
from realtime.room.polls import Polls
from realtime.room.presence import presence_functions
from realtime.room.projection import Projection
from realtime.room.raids import Raids
from realtime.room.reactions import Reactions
from realtime.room.rooms import Rooms
from realtime.room.rules import Rules

SetColor = Callable[[str, str | None], Awaitable[Any]]


@dataclass(frozen=True)
class Desk:
    """`realtime.moderating.Moderating`, and what the API needs of it. It owns nothing that has to be closed."""

    db: Postgres
    clock: Clock
    room_log: RedisRoomLog
    moderation: Moderation
    screening: AutoMod
    holding: HeldQueue
    following: KnownFollows
    only_emotes: OnlyEmotes
    polls: Polls
    reactions: Reactions
    raids: Raids
    paid_texts: PaidTexts
    paid: PaidLog
    paid_delivery: PaidDelivery
    gifts: GiftLog
    people: RoomsWithPeople
    set_color: SetColor

    def handlers(self, rooms: Rooms, chat: ChatHandlers) -> Mapping[str, Handler]:
        moderator = ModeratorHandlers(rooms, self.moderation)
        features = FeatureHandlers(rooms, self.holding, self.polls, self.reactions, self.raids)
        found: dict[str, Handler] = {
            **{event.name: moderator.act for event in MOD_EVENTS if event.body in ACTIONS},
            "chat:acknowledge": moderator.act,
            "chat:react": features.react,
            "poll:vote": features.vote,
            "poll:open": features.open_poll,
            "poll:close": features.close_poll,
            "mod:claim": features.claim,
            "mod:approve": features.approve,
            "mod:deny": features.deny,
            "mod:raid": features.raid,
        }
        found["chat:command"] = self._commands(rooms, {**found, "chat:send": chat.send}).handle
        return found

    def running(self, rooms: Rooms) -> Sequence[Coroutine[Any, Any, None]]:
        def open_here() -> list[str]:
            return [room.id for room in rooms]

        return [part.run(open_here) for part in (self.holding, self.polls, self.reactions, self.raids)]

    def _commands(self, rooms: Rooms, handlers: Mapping[str, Handler]) -> CommandHandlers:
        async def user_here(who: Connection, stream_id: str) -> User:
            return signed_in(joined_room(rooms, who, stream_id), who)

        async def dispatch(who: Connection, name: str, body: Body) -> Answer:
            answer: Answer = await handlers[name](who, body)
            return answer

        return CommandHandlers(
            people=PeopleByName(self.db),
            facts=RoomFacts(rooms, self.holding, self.db, self.clock),
            user_here=user_here,
            dispatch=dispatch,
            color_name=self.set_color,
        )


def open_desk(  # the one place where it comes together, by keyword
    *,
    db: Postgres,
    redis: Redis,
    outbox: Outbox,
    streams: StreamLookup,
    viewers: ViewerCounts,
    set_color: SetColor,
    clock: Clock,
    classifier: Budgeted | None = None,
) -> Desk:
    """Build it over open stores."""
    truth = ChannelTruth(db, clock=clock)

    async def bring_again(stream_id: str) -> None:
        stream = await streams.snapshot(stream_id)
        if stream is not None:
            await projection.begin_again(stream_id, stream.creator_id)

    room_log = RedisRoomLog(room_functions(redis), cold=_rules_by(streams, truth), taken_over=bring_again)
    feed = RoomFeed(redis)
    projection, messages = Projection(room_log, truth), LogMessages(room_log)
    moderation = Moderation(db, outbox, rooms=projection, feed=feed, messages=messages, clock=clock)
    once, functions, known = Once(moderation.records, projection), feature_functions(redis), room_log.known

    paid = PaidLog(db, moderation.records, projection, clock=clock)

    screening = AutoMod(clock, classifier)
    holding = HeldQueue(functions, known, _saying(room_log, paid), once.record, pay_back=paid.deny)
    paid_texts = PaidTexts(streams, truth, screening, clock)
    return Desk(
        db=db,
        clock=clock,
        room_log=room_log,
        moderation=moderation,
        screening=screening,
        holding=holding,
        following=KnownFollows(Follows(db, outbox, clock=clock), clock),
        only_emotes=KnownEmotes(emotes_of(db)).only,
        polls=Polls(functions, known, once.record),
        reactions=Reactions(functions, known),
        raids=Raids(functions, known, once.record, channels=LiveChannels(db, clock=clock), viewers=_counting(viewers)),
        paid_texts=paid_texts,
        paid=paid,
        paid_delivery=PaidDelivery(db, paid, paid_texts, truth, holding, clock=clock),
        gifts=GiftLog(db, moderation.records, projection, clock=clock),
        people=RoomsWithPeople(db, presence_functions(redis), truth, clock),
        set_color=set_color,
    )


def _rules_by(streams: StreamLookup, truth: ChannelTruth) -> Callable[[str], Awaitable[Rules]]:
    async def rules_of(stream_id: str) -> Rules:
        stream = await streams.snapshot(stream_id)
        return await truth.rules(stream.creator_id) if stream is not None else Rules()

    return rules_of


def _saying(room_log: RedisRoomLog, paid: PaidLog) -> Callable[[str, Message], Awaitable[None]]:
    async def say(stream_id: str, message: Message) -> None:
        if message.paid is None:
            await let_through(room_log, stream_id, message)
        else:
            await paid.approve(message)

    return say


def _counting(viewers: ViewerCounts) -> Callable[[str], Awaitable[int]]:
    async def how_many(stream_id: str) -> int:
        return (await viewers.counts([stream_id])).get(stream_id, 0)

    return how_many
