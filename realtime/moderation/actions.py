"""The one path of moderation: whoever commands, by socket, slash command or HTTP, it is `Moderation.act`.

Who may is asked of PostgreSQL under the channel's lock, never of a room's projection, which may be a moment behind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from infra.clock import Clock, NewId, milliseconds, new_id
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from media.live.repository import StreamRepository
from realtime.entries import User
from realtime.moderation import appointing, bodies, messages, modes, repository, sanctions
from realtime.moderation.access import person_here, require_free
from realtime.moderation.bodies import UNDO_SECONDS, Acted, Command, Ruling
from realtime.moderation.capabilities import Capability, require, require_over
from realtime.moderation.deeds import Deed, Values
from realtime.moderation.errors import AlreadySo, UnknownUser
from realtime.moderation.record import DeskFeed, Held, Projections, Records
from realtime.moderation.scene import CommandType, Decision, Outcome, Scene
from realtime.moderation.undo import undo


class Messages(Protocol):
    """What was said in rooms."""

    async def find(self, stream_id: str, user_id: str, message_id: str) -> Values | None:
        """The message's entry, or None when it is not there or was removed; raises `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Action:
    """How a command is decided: what it asks of the actor, and whether the actor must stand above the target."""

    decide: Decision
    capability: Capability | None  # None: it is for who was warned
    over: bool = False


ACTIONS: Mapping[CommandType, Action] = {
    bodies.DeleteMessage: Action(messages.delete, "moderate", over=True),
    bodies.ClearChat: Action(messages.clear, "moderate"),
    bodies.PinMessage: Action(messages.pin, "moderate"),
    bodies.Unpin: Action(messages.unpin, "moderate"),
    bodies.Announce: Action(messages.announce, "moderate"),
    bodies.Timeout: Action(sanctions.time_out, "moderate", over=True),
    bodies.Ban: Action(sanctions.ban, "moderate", over=True),
    bodies.Unban: Action(sanctions.unban, "moderate", over=True),
    bodies.Warn: Action(sanctions.warn, "moderate", over=True),
    bodies.Acknowledge: Action(sanctions.acknowledge, None),
    bodies.ChangeSettings: Action(modes.change_settings, "settings"),
    bodies.Shield: Action(modes.shield, "settings"),
    bodies.MakeModerator: Action(appointing.make_moderator, "appoint", over=True),
    bodies.MakeVip: Action(appointing.make_vip, "appoint", over=True),
    bodies.Undo: Action(undo, "moderate"),
}


class Moderation:
    """Acts for moderators, and records what other parts decided (a raid, a poll, a held message)."""

    def __init__(
        self,
        db: Postgres,
        outbox: Outbox,
        *,
        rooms: Projections,
        feed: DeskFeed,
        messages: Messages,
        clock: Clock,
        new_id: NewId = new_id,
    ) -> None:
        self._db = db
        self.records = Records(db, outbox, rooms, feed, clock=clock)
        self._messages = messages
        self._clock = clock
        self._new_id = new_id
        self._streams = StreamRepository()

    async def record(self, deed: Deed) -> Ruling:
        """Record what is decided already; raises `ChannelNotFound`, `Unavailable`."""
        return await self.records.record(deed)

    async def act(self, actor: User, channel_id: str, command: Command) -> Acted:
        """Do what one of `ACTIONS` commands; answers when it holds, and the room has it unless its shard is away.

        The actor's role is looked up anew. An empty `stream_id` means the channel's open stream, if there is one.
        Raises `NotAllowed`, `CannotActOn`, `UnknownUser`, `ChannelNotFound`, what the decision refuses, `Unavailable`.
        """
        action = ACTIONS[type(command)]
        await self._look_first(action, actor, channel_id)
        if not command.stream_id:
            command = msgspec.structs.replace(command, stream_id=await self.open_stream(channel_id) or "")
        said = await self._said(command)
        outcome = Outcome()

        async def decide(held: Held) -> Sequence[Deed]:
            nonlocal outcome
            scene = await self._scene(held, actor, command, said)
            await _permit(action, scene)
            outcome = await action.decide(scene, command)
            return outcome.deeds

        done = (await self.records.decide(channel_id, decide))[0]
        undo_until = done.at + UNDO_SECONDS * 1000 if outcome.undoable else None
        return Acted(action_id=done.id, undo_until=undo_until, message=outcome.message)

    async def _look_first(self, action: Action, actor: User, channel_id: str) -> None:
        """Refuse who may not before anything is locked or searched: a stranger's command costs one query."""
        async with self._db.connection() as connection:
            person = await person_here(connection, channel_id, actor.id)
            if action.capability is not None:
                require(person.role, action.capability)
            elif await repository.caution(connection, channel_id, actor.id) is None:
                raise AlreadySo("No warning is open.")

    async def scene(self, held: Held, actor: User, command: Command) -> Scene:
        """The scene of a command within somebody else's transaction; raises `UnknownUser`."""
        return await self._scene(held, actor, command, None)

    async def _said(self, command: Command) -> Values | None:
        """The message a command names; looked up before the channel is locked, as another store has it."""
        if isinstance(command, bodies.DeleteMessage | bodies.PinMessage) and command.stream_id:
            return await self._messages.find(command.stream_id, command.user_id, command.message_id)
        return None

    async def _scene(self, held: Held, actor: User, command: Command, said: Values | None) -> Scene:
        connection, channel = held.connection, held.channel
        target_id: str | None = getattr(command, "user_id", None)
        if isinstance(command, bodies.Acknowledge):
            target_id = actor.id
        wanted = [actor.id, *([target_id] if target_id else [])]
        people = await repository.people(connection, channel.id, wanted)
        if any(user_id not in people for user_id in wanted):
            raise UnknownUser
        return Scene(
            connection=connection,
            channel=channel,
            actor=msgspec.structs.replace(actor, role=people[actor.id].role),
            at=milliseconds(self._clock()),
            id=self._new_id(),
            new_id=self._new_id,
            stream_id=command.stream_id or None,
            target=people[target_id] if target_id else None,
            said=said,
        )

    async def open_stream(self, channel_id: str) -> str | None:
        """The channel's stream that is not over."""
        if not repository.is_id(channel_id):
            return None
        async with self._db.connection() as connection:
            return await self.open_stream_in(connection, channel_id)

    async def open_stream_in(self, connection: Connection, channel_id: str) -> str | None:
        """The same within a transaction."""
        stream = await self._streams.open_of(connection, channel_id)
        return stream.id if stream else None


async def _permit(action: Action, scene: Scene) -> None:
    """Raise unless the actor may; one's own messages one may always delete who may delete at all."""
    if action.capability is not None:
        require(scene.actor.role, action.capability)
        now = repository.moment(scene.at)
        await require_free(scene.connection, scene.channel.id, scene.actor, action.capability, now)
    if not action.over or scene.target is None:
        return
    if action.decide is messages.delete and scene.target.id == scene.actor.id:
        return
    require_over(scene.actor.role, scene.target.role)


def handles(command: Any) -> bool:
    """Whether `Moderation.act` is the one to do it; held messages, polls and raids are done elsewhere."""
    return type(command) in ACTIONS
