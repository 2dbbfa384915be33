"""Asking to be let back in, and answering, under `/channels/{id}/unban-requests`."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.channels import MODERATORS, ChannelId, Cursor, Limit
from api.errors import problems
from api.identity import signed_in
from realtime.moderation.channels import Channels
from realtime.moderation.errors import AlreadySo, ChannelNotFound, NotBanned, UnbanRequestOpen
from realtime.moderation.requests import RequestGone, RequestStatus, UnbanRequest

Status = Annotated[RequestStatus | None, QueryParameter(description="Only those.")]


class NewRequest(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class Resolution(msgspec.Struct, forbid_unknown_fields=True):
    """`text` is told to who asked, and is the reason in the log."""

    approve: bool
    text: Annotated[str, Meta(max_length=500)] = ""


class RequestPage(msgspec.Struct, frozen=True):
    """Newest first."""

    requests: list[UnbanRequest]
    next_cursor: str | None


class OwnRequests(msgspec.Struct, frozen=True):
    """Newest first, at most 20."""

    requests: list[UnbanRequest]


class UnbanController(Controller):
    path = "/channels/{channel_id:str}/unban-requests"
    tags = ("Channels",)
    response_headers = NO_STORE

    @get(
        "/",
        guards=[signed_in],
        operation_id="listUnbanRequests",
        summary="Who asks to be let back in",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def listed(
        self,
        channel_id: ChannelId,
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
        status: Status = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> RequestPage:
        return RequestPage(*await channels.requests.page(identity, channel_id, status, cursor, limit))

    @post(
        "/",
        guards=[signed_in],
        operation_id="askUnban",
        summary="Ask to be let back in; once for each ban",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, ChannelNotFound, NotBanned, UnbanRequestOpen, body=True),
    )
    async def ask(
        self,
        channel_id: ChannelId,
        data: Annotated[NewRequest, Body(examples=[Example(summary="a request", value={"text": "I am sorry."})])],
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> UnbanRequest:
        return await channels.requests.ask(identity, channel_id, data.text)

    @get(
        "/mine",
        guards=[signed_in],
        operation_id="listMyUnbanRequests",
        summary="The own requests in this channel",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def mine(
        self, channel_id: ChannelId, channels: NamedDependency[Channels], identity: NamedDependency[Identity]
    ) -> OwnRequests:
        return OwnRequests(await channels.requests.mine(identity, channel_id))

    @post(
        "/{request_id:str}",
        status_code=200,
        guards=[signed_in],
        operation_id="resolveUnbanRequest",
        summary="Answer a request; approving lifts the ban",
        security=KNOWN_USER,
        responses=problems(*MODERATORS, RequestGone, AlreadySo, body=True),
    )
    async def resolve(
        self,
        channel_id: ChannelId,
        request_id: FromPath[str],
        data: Annotated[
            Resolution, Body(examples=[Example(summary="approved", value={"approve": True, "text": "Welcome back."})])
        ],
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> UnbanRequest:
        return await channels.requests.resolve(identity, channel_id, request_id, approve=data.approve, text=data.text)
