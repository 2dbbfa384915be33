"""What a decision is made on, and what comes of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from infra.clock import NewId
from infra.stores.postgres import Connection
from realtime.entries import Moderation, Person, PinChanged, User
from realtime.errors import RoomNotFound
from realtime.moderation.bodies import Command
from realtime.moderation.deeds import Deed, Values
from realtime.moderation.errors import UnknownUser
from realtime.moderation.repository import Channel, Standing


@dataclass(frozen=True, slots=True)
class Scene:
    """One command under the channel's lock.

    `at` is now in Unix milliseconds, `id` the id of the action. `stream_id` is the room, None when nothing is live.
    `target` is whom the command names, `said` the message it names (None: not there any more).
    """

    connection: Connection
    channel: Channel
    actor: User
    at: int
    id: str
    new_id: NewId
    stream_id: str | None
    target: User | None = None
    said: Values | None = None

    @property
    def whom(self) -> User:
        """The target of a command that has one."""
        if self.target is None:
            raise UnknownUser
        return self.target

    @property
    def room(self) -> str:
        """The room of a command that means nothing without one; raises `RoomNotFound`."""
        if self.stream_id is None:
            raise RoomNotFound("Nothing is live in this channel.")
        return self.stream_id

    def deed(self, action: str, **values: Any) -> Deed:
        """A deed of the actor, here and now."""
        given = {"id": self.id, "stream_id": self.stream_id, "target": self.target, **values}
        for name in ("snapshot", "before", "after"):
            given[name] = msgspec.to_builtins(given.get(name))
        return Deed(channel_id=self.channel.id, at=self.at, action=action, actor=self.actor, **given)

    def entry(self, action: Any, **values: Any) -> Moderation | None:
        """The public entry of an action on the target, for the room if there is one."""
        if self.stream_id is None:
            return None
        target = person_of(self.target) if self.target else None
        return Moderation(
            offset=0, stream_id=self.stream_id, id=self.id, at=self.at, action=action, target=target, **values
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is done, and in words for whoever asked. The first deed is the action itself."""

    deeds: list[Deed] = field(default_factory=list)
    message: str = ""
    undoable: bool = True


Decision = Callable[[Scene, Any], Awaitable[Outcome]]
CommandType = type[Command]


def person_of(user: User) -> Person:
    return Person(id=user.id, name=user.name)


def restriction(standing: Standing | None) -> Values | None:
    """A sanction for the log: `{kind, until, reason}`."""
    if standing is None:
        return None
    return {"kind": standing.kind, "until": standing.until, "reason": standing.reason}


def unpin_removed(scene: Scene, *, user_id: str | None = None, message_id: str | None = None) -> list[Deed]:
    """A deed that takes down what is pinned, if the message is among those that are removed now.

    Those are one message, all of a user's, or with neither everything in the room.
    """
    pinned = scene.channel.pinned
    if pinned is None or pinned.stream_id != scene.stream_id:
        return []
    pin = pinned.pin
    if user_id not in (None, pin.user.id) or message_id not in (None, pin.message_id):
        return []
    action_id = scene.new_id()
    entry = PinChanged(offset=0, stream_id=pinned.stream_id, id=action_id, at=scene.at, pin=None)
    return [
        scene.deed("unpin", id=action_id, target=pin.user, message_id=pin.message_id, before={"pin": pin}, entry=entry)
    ]
