"""Who may do what in a channel: one table, and the functions that decide by it. Sockets and HTTP ask the same.

| capability | who has it |
|---|---|
| `chat`, `react`, `vote` | everybody who is signed in and not restricted |
| `skip_modes` | VIPs and up: no slow mode, unique chat, followers- or subscribers-only |
| `links` | VIPs and up: AutoMod lets them through |
| `moderate` | moderators and up: delete, timeout, ban, warn, clear, held messages, pins, announcements, undo, notes |
| `settings` | moderators and up: modes, shield, terms, AutoMod, polls |
| `see_private` | moderators and up: the desk's feed, log, terms, notes, requests |
| `raid` | moderators and up |
| `appoint` | the broadcaster and admins: moderators, VIPs |
| `own` | the broadcaster and admins: emotes, title, export |
"""

from collections.abc import Mapping
from typing import Literal

from accounts.model import Role
from realtime.entries import RoomRole
from realtime.moderation.errors import CannotActOn, NotAllowed

Capability = Literal[
    "chat", "react", "vote", "skip_modes", "links", "moderate", "settings", "see_private", "raid", "appoint", "own"
]

_EVERYBODY: tuple[Capability, ...] = ("chat", "react", "vote")
_VIP: tuple[Capability, ...] = (*_EVERYBODY, "skip_modes", "links")
_MODERATOR: tuple[Capability, ...] = (*_VIP, "moderate", "settings", "see_private", "raid")
_OWNER: tuple[Capability, ...] = (*_MODERATOR, "appoint", "own")

TABLE: Mapping[RoomRole, tuple[Capability, ...]] = {
    "viewer": _EVERYBODY,
    "vip": _VIP,
    "moderator": _MODERATOR,
    "admin": _OWNER,
    "creator": _OWNER,
}
_RANK: Mapping[RoomRole, int] = {"viewer": 0, "vip": 0, "moderator": 1, "creator": 2, "admin": 3}


def role_in(channel_id: str, roles: Mapping[str, RoomRole], user_id: str, platform_role: Role) -> RoomRole:
    """What somebody is in a channel; `roles` are those the channel gave (`moderator`, `vip`)."""
    if user_id == channel_id:
        return "creator"
    if platform_role == "admin":
        return "admin"
    return roles.get(user_id, "viewer")


def may(role: RoomRole, capability: Capability) -> bool:
    return capability in TABLE[role]


def require(role: RoomRole, capability: Capability) -> None:
    """Raise `NotAllowed` for who may not."""
    if not may(role, capability):
        raise NotAllowed(capability=capability)


def require_over(actor: RoomRole, target: RoomRole) -> None:
    """Raise `CannotActOn` unless the actor stands above the target: moderators do not act on each other."""
    if _RANK[actor] <= _RANK[target]:
        raise CannotActOn


def require_level_of(actor: RoomRole, other: RoomRole) -> None:
    """Raise `CannotActOn` for who stands below the other: what one did, one's equals may take back."""
    if _RANK[actor] < _RANK[other]:
        raise CannotActOn
