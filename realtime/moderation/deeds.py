"""Deeds: what was decided, ready to be recorded. Pure."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from realtime.entries import Line, User, without_offset
from realtime.moderation.bodies import Ruling
from realtime.room.rules import Change, Mark, Patch

Values = dict[str, Any]


class Deed(Struct, frozen=True, kw_only=True):
    """One row of a channel's log before it has its revision.

    `id` is the action's, `at` in Unix milliseconds; an `entry` has the same `id` and `at`, and offset 0. `stream_id` is
    the room it was done in, which takes the entry; None when nothing was live. `snapshot` is the message it is about.
    A patch whose `private` is not None says that rooms need AutoMod and terms anew, whatever is in it.
    """

    id: str
    channel_id: str
    at: int
    action: str
    actor: User
    stream_id: str | None = None
    target: User | None = None
    message_id: str | None = None
    reason: str = ""
    snapshot: Values | None = None
    before: Values | None = None
    after: Values | None = None
    mark: Mark = "!"
    entry: Line | None = None
    patch: Patch = Patch()
    restores: str | None = None
    undoes: str | None = None


def change_of(deed: Deed, revision: int) -> Change:
    """The deed as rooms see it; what is private is put in by whoever reads it (see V2__channels.sql)."""
    return Change(
        id=deed.id,
        revision=revision,
        stream_id=deed.stream_id,
        mark=deed.mark,
        entry=Raw(without_offset(deed.entry)) if deed.entry is not None else None,
        patch=msgspec.structs.replace(deed.patch, private=None),
        restores=deed.restores,
    )


class _Stored(Struct, frozen=True, kw_only=True):
    """A `Change` as JSON is read: msgspec takes no `Raw | None`, so here `null` is what it is as text."""

    id: str
    revision: int
    stream_id: str | None
    mark: Mark
    patch: Patch
    restores: str | None
    entry: Raw


def decode_change(stored: bytes) -> Change:
    """A change that was kept as JSON."""
    kept = msgspec.json.decode(stored, type=_Stored)
    entry = None if bytes(kept.entry) == b"null" else kept.entry.copy()
    return Change(
        id=kept.id,
        revision=kept.revision,
        stream_id=kept.stream_id,
        mark=kept.mark,
        entry=entry,
        patch=kept.patch,
        restores=kept.restores,
    )


def ruling_of(deed: Deed, revision: int) -> Ruling:
    """The deed as moderators see it."""
    return Ruling(
        id=deed.id,
        revision=revision,
        channel_id=deed.channel_id,
        stream_id=deed.stream_id,
        action=deed.action,
        actor=deed.actor,
        target=deed.target,
        message_id=deed.message_id,
        reason=deed.reason,
        snapshot=deed.snapshot,
        before=deed.before,
        after=deed.after,
        at=deed.at,
        undoes=deed.undoes,
    )


def mark_of_message(user_id: str, message_id: str) -> Mark:
    """The mark of an entry that removes one message."""
    return f"!m {user_id} {message_id}"


def mark_of_user(user_id: str) -> Mark:
    """The mark of an entry that removes everything a user said."""
    return f"!u {user_id}"


def mark_of_quote(user_id: str, message_id: str) -> Mark:
    """The mark of a control entry that has a message's text in it, and is removed with it."""
    return f"+{user_id} {message_id}"
