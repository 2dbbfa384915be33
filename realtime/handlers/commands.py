"""A line that begins with a slash: read, completed with what it leaves out, and handed to the event it stands for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from realtime.bodies import Answer, Body
from realtime.connections import Connection
from realtime.entries import User
from realtime.events import CLIENT_EVENTS, MessageSent, SendMessage
from realtime.moderation.bodies import Acted, Slash, Vote
from realtime.moderation.commands import find, help_text
from realtime.moderation.errors import HeldGone, MessageGone, NothingToUndo, PollClosed
from realtime.moderation.names import FindPeople, the_one
from realtime.moderation.outcomes import Help, Known, Need, Say, SetColor, needs, outcome, person_in
from realtime.moderation.slash import Call, read

EVENT_OF = {event.body: event.name for event in CLIENT_EVENTS}

# The handler of an event, by its name: the very one that a socket reaches with it.
Dispatch = Callable[[Connection, str, Body], Awaitable[Answer]]
# Who somebody is in the room; raises `NotInRoom` or `Unauthenticated`.
UserHere = Callable[[Connection, str], Awaitable[User]]
# `Accounts.set_chat_color`.
ColorName = Callable[[str, str | None], Awaitable[Any]]


class RoomFacts(Protocol):
    """What a line may leave out; each is None when there is none."""

    async def open_poll(self, stream_id: str) -> str | None:
        """The id of the open poll."""

    async def last_message(self, stream_id: str, user_id: str) -> str | None:
        """The id of the newest message of this user that was not removed."""

    async def last_action(self, stream_id: str, actor_id: str) -> str | None:
        """The id of the newest action of this moderator that can be undone."""

    async def claimed(self, stream_id: str, moderator_id: str) -> str | None:
        """The id of the held message this moderator has taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHandlers:
    """`handle` is for `chat:command`."""

    people: FindPeople
    facts: RoomFacts
    user_here: UserHere
    dispatch: Dispatch
    color_name: ColorName

    async def handle(self, who: Connection, body: Slash) -> Acted:
        me = await self.user_here(who, body.stream_id)
        call = read(body.line, me.role, body.users)
        asked = outcome(call, await self._known(call, body.stream_id, me))
        if isinstance(asked, Help):
            return Acted(message=help_text(me.role, find(asked.command, me.role) if asked.command else None))
        if isinstance(asked, SetColor):
            await self.color_name(me.id, asked.color)
            return Acted(message="Your name has its own colour again." if asked.color is None else "Done.")
        if isinstance(asked, Say):
            said = SendMessage(stream_id=body.stream_id, id=body.id, text=asked.text, me=True)
            return _acted(await self.dispatch(who, "chat:send", said), said)
        return _acted(await self.dispatch(who, EVENT_OF[type(asked)], asked), asked)

    async def _known(self, call: Call, stream_id: str, me: User) -> Known:
        found: dict[Need, str] = {}
        for need in needs(call):
            found[need] = await self._find(need, call, stream_id, found.get("user", me.id))
        return Known(stream_id=stream_id, **{f"{need}_id": value for need, value in found.items()})

    async def _find(self, need: Need, call: Call, stream_id: str, user_id: str) -> str:
        """`user_id` is whom the command is about, otherwise who gives it."""
        match need:
            case "user":
                return await self._person(call)
            case "message":
                return _there(await self.facts.last_message(stream_id, user_id), MessageGone)
            case "poll":
                return _there(await self.facts.open_poll(stream_id), PollClosed)
            case "held":
                return _there(await self.facts.claimed(stream_id, user_id), HeldGone)
            case "action":
                return _there(await self.facts.last_action(stream_id, user_id), NothingToUndo)

    async def _person(self, call: Call) -> str:
        named = person_in(call)
        if named and named.user_id:
            return named.user_id
        return the_one(await self.people.by_name(named.name if named else "")).id


def _there(value: str | None, otherwise: type[Exception]) -> str:
    if value is None:
        raise otherwise
    return value


def _acted(answer: Answer, body: Body) -> Acted:
    """Every slash command is answered alike."""
    if isinstance(answer, Acted):
        return answer
    if isinstance(answer, MessageSent) and answer.held:
        return Acted(message="A moderator has to see your message first.")
    return Acted(message="Your vote counts." if isinstance(body, Vote) else "")
