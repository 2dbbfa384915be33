"""The rules of a room: what its channel decided, at one revision. The truth is PostgreSQL's; this is the projection.

A `Change` is one row of the channel's moderation log as a room sees it: the entry for the room's log (or none), its
mark, and what it does to the rules. Rooms apply changes in the order of their revisions, each once.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Raw, Struct, field

from realtime.entries import RoomRole, RoomSettings

Mark = str  # see docs/moderation-design.md
RolesGiven = dict[str, RoomRole]


class Caution(Struct, frozen=True, kw_only=True):
    """A warning that was not acknowledged yet."""

    id: str
    reason: str


class Sanction(Struct, frozen=True, kw_only=True):
    """`until` in Unix milliseconds; null for good."""

    until: int | None
    reason: str = ""


class Private(Struct, frozen=True, kw_only=True):
    """What only nodes and moderators know: AutoMod's rules and the channel's terms, as their modules read them."""

    automod: Raw = field(default_factory=lambda: Raw(b"{}"))
    terms: Raw = field(default_factory=lambda: Raw(b"[]"))


class Rules(Struct, frozen=True, kw_only=True):
    """All of it. `sanctions` and `cautions` by user id; sanctions that are over may still be among them."""

    revision: int = 0
    settings: RoomSettings = RoomSettings()
    roles: RolesGiven = field(default_factory=dict)
    sanctions: dict[str, Sanction] = field(default_factory=dict)
    cautions: dict[str, Caution] = field(default_factory=dict)
    private: Private = field(default_factory=Private)

    def differing(self, other: "Rules") -> set[str]:
        """The users that the two do not say the same of."""
        pairs = ((self.roles, other.roles), (self.sanctions, other.sanctions), (self.cautions, other.cautions))
        return {
            user for ours, theirs in pairs for user in ours.keys() | theirs.keys() if ours.get(user) != theirs.get(user)
        }


class Patch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one change does to the rules; field by field in this order. `lift`, `acknowledge`: user ids."""

    settings: RoomSettings | None = None
    role: tuple[str, Literal["moderator", "vip", "viewer"]] | None = None
    sanction: tuple[str, Sanction] | None = None
    lift: str | None = None
    caution: tuple[str, Caution] | None = None
    acknowledge: str | None = None
    private: Private | None = None

    def concerned(self) -> set[str]:
        """Who is something else, or may do something else, by it."""
        pairs = (self.role, self.sanction, self.caution)
        users = {pair[0] for pair in pairs if pair is not None}
        return users | {user for user in (self.lift, self.acknowledge) if user is not None}


class Change(Struct, frozen=True, kw_only=True):
    """One row of the log for a room. `entry` is the entry as JSON (an object without `offset`), for the room
    `stream_id` only (None: for the channel's open room); rooms it is not for take the patch alone.

    `restores`: the id of an earlier change whose removed messages come back.
    """

    id: str
    revision: int
    stream_id: str | None
    mark: Mark = "!"
    entry: Raw | None = None
    patch: Patch = Patch()
    restores: str | None = None


class ChannelRules(Protocol):
    """The truth. Both raise `Unavailable` when it does not answer."""

    async def rules(self, channel_id: str) -> Rules:
        """All rules at their newest revision; a channel that never decided anything is at revision 0."""
        ...

    async def after(self, channel_id: str, revision: int) -> Sequence[Change]:
        """The changes after that revision, in order, at most 200."""
        ...


class RoomRules(Protocol):
    """The projection: see `realtime.room.projection`. Both raise `Unavailable`."""

    async def warm(self, stream_id: str, channel_id: str) -> int:
        """See that the room knows its rules before something is decided; its revision."""
        ...

    async def catch_up(self, stream_id: str, channel_id: str) -> int:
        """Bring the room to the newest revision, which is returned; every change is applied once, whoever asks."""
        ...


def patched(rules: Rules, change: Change) -> Rules:
    """The rules after the next change. Pure; what Redis and every node do, each in its own way."""
    patch = change.patch
    roles, sanctions, cautions = dict(rules.roles), dict(rules.sanctions), dict(rules.cautions)
    if patch.role is not None:
        roles.pop(patch.role[0], None)
        if patch.role[1] != "viewer":
            roles[patch.role[0]] = patch.role[1]
    if patch.sanction is not None:
        sanctions[patch.sanction[0]] = patch.sanction[1]
    if patch.lift is not None:
        sanctions.pop(patch.lift, None)
    if patch.caution is not None:
        cautions[patch.caution[0]] = patch.caution[1]
    if patch.acknowledge is not None:
        cautions.pop(patch.acknowledge, None)
    return Rules(
        revision=change.revision,
        settings=patch.settings or rules.settings,
        roles=roles,
        sanctions=sanctions,
        cautions=cautions,
        private=patch.private or rules.private,
    )
