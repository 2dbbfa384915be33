"""Deciding over people: timeout, ban, unban, warning. Each under the channel's lock.

A ban replaces a timeout. A timeout does not replace a ban: whoever wants that lifts the ban first. A second timeout
replaces the first, whichever is longer.
"""

from realtime.entries import User
from realtime.moderation import repository, words
from realtime.moderation.bodies import Acknowledge, Ban, Timeout, Unban, Warn
from realtime.moderation.deeds import Values, mark_of_user
from realtime.moderation.errors import AlreadySo
from realtime.moderation.repository import Standing, moment
from realtime.moderation.scene import Outcome, Scene, restriction, unpin_removed
from realtime.room.rules import Caution, Patch, Sanction


async def standing_of(scene: Scene, user: User) -> Standing | None:
    return await repository.sanction(scene.connection, scene.channel.id, user.id, moment(scene.at))


async def time_out(scene: Scene, command: Timeout) -> Outcome:
    target, until = scene.whom, scene.at + command.seconds * 1000
    before = await standing_of(scene, target)
    if before is not None and before.kind == "ban":
        raise AlreadySo(f"{target.name} is banned. Lift the ban first.")
    deed = scene.deed(
        "timeout",
        reason=command.reason,
        before=restriction(before),
        after={"kind": "timeout", "until": until, "reason": command.reason, "seconds": command.seconds},
        mark=mark_of_user(target.id),
        entry=scene.entry("timeout", until=until),
        patch=Patch(sanction=(target.id, Sanction(until=until, reason=command.reason))),
    )
    message = f"{target.name} is timed out for {words.duration(command.seconds)}."
    return Outcome([deed, *unpin_removed(scene, user_id=target.id)], message)


async def ban(scene: Scene, command: Ban) -> Outcome:
    """Whoever is banned is neither moderator nor VIP any more."""
    target = scene.whom
    before = await standing_of(scene, target)
    if before is not None and before.kind == "ban":
        raise AlreadySo(f"{target.name} is banned already.")
    given = target.role in ("moderator", "vip")
    role: Values = {"role": target.role} if given else {}
    was = restriction(before)
    deed = scene.deed(
        "ban",
        reason=command.reason,
        before={**(was or {}), **role} or None,
        after={"kind": "ban", "until": None, "reason": command.reason},
        mark=mark_of_user(target.id),
        entry=scene.entry("ban"),
        patch=Patch(
            role=(target.id, "viewer") if given else None,
            sanction=(target.id, Sanction(until=None, reason=command.reason)),
        ),
    )
    return Outcome([deed, *unpin_removed(scene, user_id=target.id)], f"{target.name} is banned.")


async def unban(scene: Scene, command: Unban) -> Outcome:
    target = scene.whom
    before = await standing_of(scene, target)
    if before is None:
        raise AlreadySo(f"{target.name} is neither banned nor timed out.")
    deed = scene.deed(
        "unban",
        reason=command.reason,
        before=restriction(before),
        entry=scene.entry("unban"),
        patch=Patch(lift=target.id),
    )
    lifted = "banned" if before.kind == "ban" else "timed out"
    return Outcome([deed], f"{target.name} is not {lifted} any more.")


async def warn(scene: Scene, command: Warn) -> Outcome:
    """The newest warning counts: one has to acknowledge that one."""
    target = scene.whom
    before = await repository.caution(scene.connection, scene.channel.id, target.id)
    deed = scene.deed(
        "warn",
        reason=command.reason,
        before={"warning": before} if before else None,
        after={"warning": {"id": scene.id, "reason": command.reason}},
        entry=scene.entry("warn"),
        patch=Patch(caution=(target.id, Caution(id=scene.id, reason=command.reason))),
    )
    return Outcome([deed], f"{target.name} is warned, and must acknowledge it before writing again.")


async def acknowledge(scene: Scene, command: Acknowledge) -> Outcome:
    """By the warned person. A warning that is not open any more, or not the newest, is refused."""
    actor = scene.actor
    open_one = await repository.caution(scene.connection, scene.channel.id, actor.id)
    if open_one is None or open_one.id != command.warning_id:
        raise AlreadySo("This warning is not open any more.")
    deed = scene.deed(
        "acknowledge",
        before={"warning": open_one},
        entry=scene.entry("acknowledge"),
        patch=Patch(acknowledge=actor.id),
    )
    return Outcome([deed], "Thank you. You can write again.", undoable=False)
