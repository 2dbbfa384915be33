"""Channels under `/channels/{id}`: what they are, following them, and doing in them what a moderator may.

The rules are in `realtime/moderation/`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import problems
from api.identity import signed_in
from infra.errors import FootlightError, Invalid
from realtime.errors import RoomNotFound, TextInvalid
from realtime.moderation import bodies
from realtime.moderation.access import actor_of
from realtime.moderation.bodies import Acted, Command
from realtime.moderation.channels import Channels, ChannelView, Moderated
from realtime.moderation.errors import (
    AlreadySo,
    CannotActOn,
    ChannelNotFound,
    MessageGone,
    NotAllowed,
    NothingToUndo,
    RestrictedHere,
    TooManyOfThese,
    UnknownUser,
)

ChannelId = FromPath[str]
Limit = Annotated[int, QueryParameter(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(max_length=200, description="`next_cursor` of the page before.")]
MODERATORS: tuple[type[FootlightError], ...] = (*NEEDS_USER, NotAllowed, ChannelNotFound)
REFUSED = (AlreadySo, CannotActOn, UnknownUser, MessageGone, NothingToUndo, TooManyOfThese, RoomNotFound, TextInvalid)

COMMANDS: Mapping[str, type[Command]] = {
    "delete": bodies.DeleteMessage,
    "timeout": bodies.Timeout,
    "ban": bodies.Ban,
    "unban": bodies.Unban,
    "warn": bodies.Warn,
    "clear": bodies.ClearChat,
    "settings": bodies.ChangeSettings,
    "shield": bodies.Shield,
    "pin": bodies.PinMessage,
    "unpin": bodies.Unpin,
    "announce": bodies.Announce,
    "vip": bodies.MakeVip,
    "moderator": bodies.MakeModerator,
    "undo": bodies.Undo,
    "acknowledge": bodies.Acknowledge,
}
BAN_EXAMPLE = {"type": "ban", "user_id": "0198c0de-0000-7000-8000-000000000001", "reason": "spam"}


class Followed(msgspec.Struct, frozen=True):
    """Since when, in Unix milliseconds."""

    following_since: int


class ModeratedChannels(msgspec.Struct, frozen=True):
    channels: list[Moderated]


class ModeratedController(Controller):
    """Beside `/channels/{id}`: a fixed address comes before one with an id, and no id is a word."""

    path = "/channels/moderated"
    tags = ("Channels",)
    response_headers = NO_STORE

    @get(
        "/",
        guards=[signed_in],
        operation_id="listModeratedChannels",
        summary="Your own channel and those you moderate",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def moderated(
        self, channels: NamedDependency[Channels], identity: NamedDependency[Identity]
    ) -> ModeratedChannels:
        return ModeratedChannels(await channels.moderated(identity.user_id))


class ChannelController(Controller):
    path = "/channels/{channel_id:str}"
    tags = ("Channels",)
    response_headers = NO_STORE

    @get(
        "/", operation_id="getChannel", summary="A channel, and what you are in it", responses=problems(ChannelNotFound)
    )
    async def view(
        self,
        channel_id: ChannelId,
        channels: NamedDependency[Channels],
        maybe_identity: NamedDependency[Identity | None],
    ) -> ChannelView:
        return await channels.view(channel_id, maybe_identity)

    @put(
        "/follow",
        guards=[signed_in],
        operation_id="followChannel",
        summary="Follow the channel; again changes nothing",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, ChannelNotFound, RestrictedHere, AlreadySo),
    )
    async def follow(
        self, channel_id: ChannelId, channels: NamedDependency[Channels], identity: NamedDependency[Identity]
    ) -> Followed:
        return Followed(await channels.follows.follow(channel_id, identity.user_id))

    @delete(
        "/follow",
        guards=[signed_in],
        operation_id="unfollowChannel",
        summary="Follow the channel no more",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def unfollow(
        self, channel_id: ChannelId, channels: NamedDependency[Channels], identity: NamedDependency[Identity]
    ) -> None:
        await channels.follows.unfollow(channel_id, identity.user_id)

    @post(
        "/actions",
        status_code=200,
        guards=[signed_in],
        operation_id="actInChannel",
        summary="Do what the socket event mod:<type> does, also when nothing is live",
        security=KNOWN_USER,
        responses=problems(*MODERATORS, *REFUSED, body=True),
    )
    async def act(
        self,
        channel_id: ChannelId,
        data: Annotated[dict[str, Any], Body(examples=[Example(summary="a ban", value=BAN_EXAMPLE)])],
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> Acted:
        return await channels.moderation.act(actor_of(identity), channel_id, command_of(data))


def command_of(data: Mapping[str, Any]) -> Command:
    """The command of the body, for the channel's open stream; raises `Invalid` with its fields."""
    kind = COMMANDS.get(str(data.get("type")))
    if kind is None:
        raise Invalid(fields={"type": f"is one of {', '.join(COMMANDS)}"})
    if "stream_id" in data:
        raise Invalid(fields={"stream_id": "is not a known field"})
    values = {name: value for name, value in data.items() if name != "type"}
    try:
        command = msgspec.convert({**values, "stream_id": "-"}, kind)
    except msgspec.ValidationError as wrong:
        raise Invalid(fields=_field(str(wrong))) from None
    return msgspec.structs.replace(command, stream_id="")


_AT = re.compile(r"(.+?) - at `\$\.?(.*)`")
_WHOLE = re.compile(r"Object (missing required|contains unknown) field `(.+)`")


def _field(wrong: str) -> dict[str, str]:
    """What msgspec says, by the field it says it of."""
    if whole := _WHOLE.match(wrong):
        return {whole[2]: "is missing" if whole[1].startswith("missing") else "is not a known field"}
    if at := _AT.match(wrong):
        return {at[2]: at[1]}
    return {"body": wrong}
