"""Deciding over roles: moderators and VIPs. Each under the channel's lock, so the limits hold."""

from typing import Literal

from realtime.entries import RoleChanged
from realtime.moderation import repository
from realtime.moderation.bodies import MakeModerator, MakeVip
from realtime.moderation.deeds import Deed
from realtime.moderation.errors import AlreadySo, CannotActOn, TooManyOfThese
from realtime.moderation.sanctions import standing_of
from realtime.moderation.scene import Outcome, Scene, person_of
from realtime.room.rules import Patch

GivenRole = Literal["moderator", "vip", "viewer"]

MOST = {"moderator": 100, "vip": 200}
CALLED = {"moderator": "a moderator", "vip": "a VIP"}


async def make_moderator(scene: Scene, command: MakeModerator) -> Outcome:
    """A VIP becomes a moderator instead."""
    return await (_give(scene, "moderator") if command.on else _take(scene, "moderator"))


async def make_vip(scene: Scene, command: MakeVip) -> Outcome:
    """A moderator has all a VIP has, so they are not made one."""
    if command.on and scene.whom.role == "moderator":
        raise AlreadySo(f"{scene.whom.name} is a moderator, who may do all that a VIP may.")
    return await (_give(scene, "vip") if command.on else _take(scene, "vip"))


async def _give(scene: Scene, role: Literal["moderator", "vip"]) -> Outcome:
    target = scene.whom
    if target.role == role:
        raise AlreadySo(f"{target.name} is {CALLED[role]} already.")
    await require_room_for(scene, role)
    standing = await standing_of(scene, target)
    if standing is not None and standing.kind == "ban":
        raise AlreadySo(f"{target.name} is banned. Lift the ban first.")
    return Outcome([role_deed(scene, role)], f"{target.name} is {CALLED[role]} now.")


async def _take(scene: Scene, role: Literal["moderator", "vip"]) -> Outcome:
    target = scene.whom
    if target.role != role:
        raise AlreadySo(f"{target.name} is not {CALLED[role]}.")
    return Outcome([role_deed(scene, "viewer")], f"{target.name} is not {CALLED[role]} any more.")


async def require_room_for(scene: Scene, role: GivenRole) -> None:
    """Raise `TooManyOfThese` when the channel has as many as it may."""
    if role != "viewer" and await repository.count_role(scene.connection, scene.channel.id, role) >= MOST[role]:
        raise TooManyOfThese(max=MOST[role])


def role_deed(scene: Scene, role: GivenRole, *, action: str | None = None, undoes: str | None = None) -> Deed:
    """The log calls it by the role that is given or taken: `moderator`, `vip`."""
    target = scene.whom
    if target.role in ("creator", "admin"):
        raise CannotActOn
    entry = None
    if scene.stream_id is not None:
        entry = RoleChanged(
            offset=0, stream_id=scene.stream_id, id=scene.id, at=scene.at, target=person_of(target), role=role
        )
    return scene.deed(
        action or (target.role if role == "viewer" else role),
        before={"role": target.role},
        after={"role": role},
        entry=entry,
        patch=Patch(role=(target.id, role)),
        undoes=undoes,
    )
