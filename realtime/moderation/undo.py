"""Taking back: within UNDO_SECONDS an action is undone with the messages it removed, later only what it changed.

Moderators undo their own actions and those of their equals; nobody undoes those of who stands above. Every action is
undone at most once, and an undo is not undone: do it again instead. What has changed since is left alone: a ban that
was lifted meanwhile, or replaced by another, is not touched.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from realtime.entries import Pin, PinChanged
from realtime.moderation import repository
from realtime.moderation.appointing import require_room_for, role_deed
from realtime.moderation.bodies import UNDO_SECONDS, Ruling, Undo
from realtime.moderation.capabilities import Capability, require, require_level_of, require_over
from realtime.moderation.deeds import Deed, Values, mark_of_quote, mark_of_user
from realtime.moderation.errors import AlreadySo, NothingToUndo
from realtime.moderation.modes import lower_shield, raise_shield, settings_deed
from realtime.moderation.sanctions import standing_of
from realtime.moderation.scene import Outcome, Scene, restriction
from realtime.room.rules import Caution, Patch, Sanction

CALLED = {
    "delete": "Deleting a message",
    "clear": "Clearing the chat",
    "timeout": "The timeout",
    "ban": "The ban",
    "unban": "Lifting the ban",
    "warn": "The warning",
    "settings": "The change of settings",
    "shield": "The shield",
    "pin": "The pin",
    "unpin": "Unpinning",
    "moderator": "The change of role",
    "vip": "The change of role",
}


def in_time(scene: Scene, ruling: Ruling) -> bool:
    """Whether the messages still come back."""
    return scene.at - ruling.at <= UNDO_SECONDS * 1000


async def undo(scene: Scene, command: Undo) -> Outcome:
    """Raises `NothingToUndo` for what is not there, was undone, or cannot be taken back (any more)."""
    ruling = await repository.ruling(scene.connection, scene.channel.id, command.action_id)
    if ruling is None or ruling.undone_by is not None or ruling.action not in _UNDOING:
        raise NothingToUndo
    require(scene.actor.role, _capability(ruling.action))
    if ruling.actor.id != scene.actor.id:
        require_level_of(scene.actor.role, ruling.actor.role)
    scene = await _as_it_was(scene, ruling)
    try:
        deed = await _UNDOING[ruling.action](scene, ruling)
    except AlreadySo:
        raise NothingToUndo from None
    name = f" ({ruling.target.name})" if ruling.target else ""
    return Outcome([deed, *await _pinned_again(scene, ruling)], f"{CALLED[ruling.action]}{name} is undone.", False)


def _capability(action: str) -> Capability:
    if action in ("moderator", "vip"):
        return "appoint"
    return "settings" if action in ("settings", "shield") else "moderate"


async def _as_it_was(scene: Scene, ruling: Ruling) -> Scene:
    """The scene with whom and where the action was; their role is that of now."""
    target = ruling.target
    if target is not None:
        target = await repository.person(scene.connection, scene.channel.id, target.id) or target
    room = ruling.stream_id if in_time(scene, ruling) else scene.stream_id
    return dataclasses.replace(scene, target=target, stream_id=room)


def _undo_deed(scene: Scene, ruling: Ruling, **values: Any) -> Deed:
    """`before` and `after` change places."""
    given: Values = {"message_id": ruling.message_id, "before": ruling.after, "after": ruling.before, **values}
    return scene.deed("undo", undoes=ruling.id, **given)


async def _messages(scene: Scene, ruling: Ruling) -> Deed:
    """Delete and clear change nothing but messages."""
    if not in_time(scene, ruling):
        raise NothingToUndo
    return _undo_deed(scene, ruling, snapshot=ruling.snapshot, restores=ruling.id)


async def _sanction(scene: Scene, ruling: Ruling) -> Deed:
    """Back to the sanction and the role before, if this one still stands."""
    target, restores = scene.whom, in_time(scene, ruling)
    standing = await standing_of(scene, target)
    if standing is not None and standing.action_id != ruling.id:
        raise NothingToUndo
    if standing is None and not restores:
        raise NothingToUndo
    was = ruling.before or {}
    earlier = _still(scene, was)
    role = was.get("role") if standing is not None else None
    if role is not None:
        await require_room_for(scene, role)
    patch = Patch(
        role=(target.id, role) if role else None,
        sanction=(target.id, earlier) if earlier else None,
        lift=None if earlier else target.id,
    )
    # With a timeout back in force "unban" would be wrong, and "timeout" would remove messages: no entry.
    entry = None if earlier else scene.entry("unban")
    return _undo_deed(scene, ruling, entry=entry, patch=patch, restores=ruling.id if restores else None)


def _still(scene: Scene, was: Values) -> Sanction | None:
    """The sanction that a row of the log names, unless it is over."""
    if "kind" not in was or (was["until"] is not None and was["until"] <= scene.at):
        return None
    return Sanction(until=was["until"], reason=was["reason"])


async def _unban(scene: Scene, ruling: Ruling) -> Deed:
    """The ban or timeout is back, and removes what was said since."""
    target, earlier = scene.whom, _still(scene, ruling.before or {})
    require_over(scene.actor.role, target.role)  # they may have been appointed since
    standing = await standing_of(scene, target)
    if earlier is None or standing is not None:
        raise NothingToUndo
    entry = scene.entry("ban") if earlier.until is None else scene.entry("timeout", until=earlier.until)
    return _undo_deed(
        scene,
        ruling,
        before=restriction(standing),
        mark=mark_of_user(target.id),
        entry=entry,
        patch=Patch(sanction=(target.id, earlier)),
    )


async def _warning(scene: Scene, ruling: Ruling) -> Deed:
    target = scene.whom
    open_one = await repository.caution(scene.connection, scene.channel.id, target.id)
    if open_one is None or open_one.id != ruling.id:
        raise NothingToUndo
    was = (ruling.before or {}).get("warning")
    patch = Patch(caution=(target.id, msgspec.convert(was, Caution))) if was else Patch(acknowledge=target.id)
    return _undo_deed(scene, ruling, entry=None if was else scene.entry("acknowledge"), patch=patch)


async def _settings(scene: Scene, ruling: Ruling) -> Deed:
    """The fields that were changed, as they were, unless one of them was changed again; all others stay."""
    now = msgspec.structs.asdict(scene.channel.settings)
    if any(now.get(name) != value for name, value in (ruling.after or {}).items()):
        raise NothingToUndo
    settings = msgspec.structs.replace(scene.channel.settings, **(ruling.before or {}))
    return settings_deed(scene, "undo", settings, undoes=ruling.id)


async def _shield(scene: Scene, ruling: Ruling) -> Deed:
    raised = bool((ruling.after or {}).get("shield"))
    if scene.channel.settings.shield != raised:
        raise NothingToUndo
    if raised:
        return await lower_shield(scene, action="undo", undoes=ruling.id)
    return await raise_shield(scene, action="undo", undoes=ruling.id)


async def _role(scene: Scene, ruling: Ruling) -> Deed:
    was, made = (ruling.before or {})["role"], (ruling.after or {})["role"]
    standing = await standing_of(scene, scene.whom)
    if scene.whom.role != made or (was != "viewer" and standing is not None and standing.kind == "ban"):
        raise NothingToUndo
    await require_room_for(scene, was)
    return role_deed(scene, was, action="undo", undoes=ruling.id)


async def _pin(scene: Scene, ruling: Ruling) -> Deed:
    """What was pinned before is again, if nothing was pinned or unpinned since."""
    if not in_time(scene, ruling):
        raise NothingToUndo
    made, was = _pin_of(ruling.after), _pin_of(ruling.before)
    pinned = scene.channel.pinned
    if (pinned.pin if pinned else None) != made:
        raise NothingToUndo
    again = was if was and was.until > scene.at else None
    entry = PinChanged(offset=0, stream_id=scene.room, id=scene.id, at=scene.at, pin=again)
    mark = mark_of_quote(again.user.id, again.message_id) if again else "!"
    return _undo_deed(scene, ruling, mark=mark, entry=entry)


def _pin_of(values: Values | None) -> Pin | None:
    found = (values or {}).get("pin")
    return msgspec.convert(found, Pin) if found else None


async def _pinned_again(scene: Scene, ruling: Ruling) -> list[Deed]:
    """A removal that took down the pinned message has an `unpin` right after it: that is undone with it."""
    if ruling.action not in ("delete", "clear", "timeout", "ban") or not in_time(scene, ruling):
        return []
    unpinned = await repository.ruling_at(scene.connection, scene.channel.id, ruling.revision + 1)
    if unpinned is None or (unpinned.action, unpinned.at, unpinned.actor.id) != ("unpin", ruling.at, ruling.actor.id):
        return []
    if unpinned.undone_by is not None or scene.channel.pinned is not None:
        return []
    return [await _pin(dataclasses.replace(scene, id=scene.new_id(), target=unpinned.target), unpinned)]


_UNDOING: Mapping[str, Callable[[Scene, Ruling], Awaitable[Deed]]] = {
    "delete": _messages,
    "clear": _messages,
    "timeout": _sanction,
    "ban": _sanction,
    "unban": _unban,
    "warn": _warning,
    "settings": _settings,
    "shield": _shield,
    "pin": _pin,
    "unpin": _pin,
    "moderator": _role,
    "vip": _role,
}
