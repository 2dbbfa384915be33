"""The emotes of a channel, under `/channels/{id}/emotes`. The rules are in `realtime/channel_emotes.py`."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, QueryParameter

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER
from api.errors import problems
from api.identity import signed_in
from realtime.channel_emotes import ChannelEmote, ChannelEmotes, EmoteNotFound
from realtime.emote_pictures import LARGEST_BYTES, PictureType
from realtime.moderation.capabilities import require, role_in
from realtime.moderation.errors import ChannelNotFound, EmoteInvalid, NotAllowed, TooManyOfThese

YEAR = "public, max-age=31536000, immutable"
MINUTE = "public, max-age=60"
# A picture does nothing, also when somebody opens it as a page. The gateway adds `nosniff`.
SANDBOX = "default-src 'none'; sandbox"
FORM_BYTES = LARGEST_BYTES + 4096  # the code, and what multipart adds
TYPES: tuple[PictureType, ...] = ("image/png", "image/gif", "image/webp")

Version = Annotated[str | None, QueryParameter(name="v", max_length=64, description="The picture's SHA-256.")]


class Emote(msgspec.Struct, frozen=True, kw_only=True):
    """Written `:code:`. The address of the picture changes with it, so it may be kept for good."""

    code: str
    url: str
    content_type: PictureType
    width: int
    height: int
    bytes: int
    created_at: datetime


class Emotes(msgspec.Struct, frozen=True):
    """All a channel has, by code."""

    emotes: list[Emote]


class NewEmote(msgspec.Struct, kw_only=True):
    """A form: the code, 2 to 24 of a-z, 0-9 and _, and the picture."""

    code: str
    file: UploadFile


Form = Annotated[NewEmote, Body(media_type=RequestEncodingType.MULTI_PART)]


class EmoteController(Controller):
    path = "/channels/{channel_id:str}/emotes"
    tags = ("Emotes",)

    @get("/", operation_id="listEmotes", summary="The emotes of a channel", responses=problems())
    async def listed(self, channel_id: FromPath[str], channel_emotes: NamedDependency[ChannelEmotes]) -> Emotes:
        return Emotes([shown(channel_id, emote) for emote in await channel_emotes.all(channel_id)])

    @post(
        "/",
        guards=[signed_in],
        operation_id="putEmote",
        summary="Add an emote, or give it another picture",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, NotAllowed, EmoteInvalid, TooManyOfThese, ChannelNotFound, body=True),
        opt={"content_types": ("multipart/form-data",)},
        request_max_body_size=FORM_BYTES,
    )
    async def put(
        self,
        channel_id: FromPath[str],
        data: Form,
        channel_emotes: NamedDependency[ChannelEmotes],
        identity: NamedDependency[Identity],
    ) -> Emote:
        require_owner(channel_id, identity)
        picture = await data.file.read(LARGEST_BYTES + 1)
        return shown(channel_id, await channel_emotes.put(channel_id, identity.user_id, data.code, picture))

    @delete(
        "/{code:str}",
        guards=[signed_in],
        operation_id="removeEmote",
        summary="Remove an emote",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, NotAllowed, EmoteNotFound),
    )
    async def remove(
        self,
        channel_id: FromPath[str],
        code: FromPath[str],
        channel_emotes: NamedDependency[ChannelEmotes],
        identity: NamedDependency[Identity],
    ) -> None:
        require_owner(channel_id, identity)
        await channel_emotes.remove(channel_id, code)

    @get(
        "/{code:str}/image",
        operation_id="getEmoteImage",
        summary="The picture of an emote",
        responses=problems(EmoteNotFound),
        media_type="image/png",
    )
    async def image(
        self,
        channel_id: FromPath[str],
        code: FromPath[str],
        channel_emotes: NamedDependency[ChannelEmotes],
        version: Version = None,
    ) -> Response[bytes]:
        emote, picture = await channel_emotes.picture(channel_id, code)
        headers = {
            "cache-control": YEAR if version == emote.sha256 else MINUTE,
            "etag": f'"{emote.sha256}"',
            "content-security-policy": SANDBOX,
            "cross-origin-resource-policy": "cross-origin",
        }
        return Response(picture, media_type=emote.content_type, headers=headers)


def require_owner(channel_id: str, identity: Identity) -> None:
    """The broadcaster and admins; the roles that a channel gives never come with `own`."""
    require(role_in(channel_id, {}, identity.user_id, identity.role), "own")


def shown(channel_id: str, emote: ChannelEmote) -> Emote:
    return Emote(
        code=emote.code,
        url=f"/api/v1/channels/{channel_id}/emotes/{emote.code}/image?v={emote.sha256}",
        content_type=emote.content_type,
        width=emote.width,
        height=emote.height,
        bytes=emote.bytes,
        created_at=emote.created_at,
    )
