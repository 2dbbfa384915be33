"""Why the log did not take a message: its short answers as errors."""

from typing import Any

from infra.errors import FootlightError
from realtime.errors import ChatBanned, ChatSlowMode, ChatTooFast, RoomEnded
from realtime.moderation.errors import (
    ChatEmoteOnly,
    ChatFollowersOnly,
    ChatNotUnique,
    ChatReadOnly,
    ChatSubscribersOnly,
    ChatWarned,
)
from realtime.room.log import ArchiveBehind, FollowUnknown
from realtime.room.stored import caution_of

SIMPLE: dict[bytes, type[Exception]] = {
    b"ended": RoomEnded,
    b"full": ArchiveBehind,
    b"facts": FollowUnknown,
    b"read_only": ChatReadOnly,
    b"subscribers": ChatSubscribersOnly,
    b"emotes": ChatEmoteOnly,
}


WAITING: dict[bytes, type[FootlightError]] = {
    b"banned": ChatBanned,
    b"unique": ChatNotUnique,
    b"slow": ChatSlowMode,
    b"fast": ChatTooFast,
}


def refused(answer: list[Any]) -> Exception:
    """The error of an answer of `room_append` that is not `ok`."""
    kind = answer[0]
    if kind in SIMPLE:
        return SIMPLE[kind]()
    if kind == b"warned":
        caution = caution_of(answer[1])
        return ChatWarned(warning={"id": caution.id, "reason": caution.reason})
    wait = int(answer[1]) or None
    if kind == b"followers":
        return ChatFollowersOnly(retry_after_ms=wait, followers_seconds=int(answer[2]))
    return WAITING[kind](retry_after_ms=wait)
