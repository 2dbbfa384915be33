"""Deciding over what is said: delete, clear, pin, announce. Each under the channel's lock."""

import msgspec

from realtime.entries import Announcement, Pin, PinChanged, User
from realtime.moderation import words
from realtime.moderation.bodies import Announce, ClearChat, DeleteMessage, PinMessage, Unpin
from realtime.moderation.deeds import Values, mark_of_message, mark_of_quote
from realtime.moderation.errors import AlreadySo, MessageGone
from realtime.moderation.scene import Outcome, Scene, unpin_removed
from realtime.room.text import clean


def said(scene: Scene) -> Values:
    """The message that the command names; raises `MessageGone`."""
    if scene.said is None:
        raise MessageGone
    return scene.said


async def delete(scene: Scene, command: DeleteMessage) -> Outcome:
    target, _ = scene.whom, scene.room
    deed = scene.deed(
        "delete",
        message_id=command.message_id,
        reason=command.reason,
        snapshot=said(scene),
        mark=mark_of_message(target.id, command.message_id),
        entry=scene.entry("delete", message_id=command.message_id),
    )
    unpinned = unpin_removed(scene, user_id=target.id, message_id=command.message_id)
    return Outcome([deed, *unpinned], f"A message of {target.name} is deleted.")


async def clear(scene: Scene, command: ClearChat) -> Outcome:
    _ = scene.room
    deed = scene.deed("clear", reason=command.reason, mark="!*", entry=scene.entry("clear"))
    return Outcome([deed, *unpin_removed(scene)], "The chat is cleared.")


def present_pin(scene: Scene) -> Pin | None:
    """What is on top of this room now."""
    pinned = scene.channel.pinned
    if pinned is None or pinned.stream_id != scene.stream_id or pinned.pin.until <= scene.at:
        return None
    return pinned.pin


async def pin(scene: Scene, command: PinMessage) -> Outcome:
    """In the place of what was pinned before."""
    message, before = said(scene), present_pin(scene)
    new = Pin(
        message_id=command.message_id,
        user=msgspec.convert(message["user"], User),
        text=message["text"],
        until=scene.at + command.seconds * 1000,
    )
    deed = scene.deed(
        "pin",
        message_id=command.message_id,
        snapshot=message,
        before={"pin": before} if before else None,
        after={"pin": new},
        mark=mark_of_quote(new.user.id, new.message_id),
        entry=PinChanged(offset=0, stream_id=scene.room, id=scene.id, at=scene.at, pin=new),
    )
    return Outcome([deed], f"A message of {new.user.name} is pinned for {words.duration(command.seconds)}.")


async def unpin(scene: Scene, _: Unpin) -> Outcome:
    room, before = scene.room, present_pin(scene)
    if before is None:
        raise AlreadySo("Nothing is pinned.")
    deed = scene.deed(
        "unpin",
        target=before.user,
        message_id=before.message_id,
        before={"pin": before},
        entry=PinChanged(offset=0, stream_id=room, id=scene.id, at=scene.at, pin=None),
    )
    return Outcome([deed], "Nothing is pinned any more.")


async def announce(scene: Scene, command: Announce) -> Outcome:
    text = clean(command.text)
    entry = Announcement(
        offset=0, stream_id=scene.room, id=scene.id, at=scene.at, user=scene.actor, text=text, tint=command.tint
    )
    mark = mark_of_quote(scene.actor.id, scene.id)  # so that it can be removed like a message
    deed = scene.deed("announce", after={"text": text, "tint": command.tint}, entry=entry, mark=mark)
    return Outcome([deed], "Announced.", undoable=False)
