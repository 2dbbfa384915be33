"""People of a channel, under `/channels/{id}`: roles, bans, finding somebody, one person's card, notes."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NO_STORE
from api.channels import MODERATORS, ChannelId, Cursor, Limit
from api.errors import problems
from api.identity import signed_in
from realtime.entries import User
from realtime.moderation.channels import Channels
from realtime.moderation.errors import TooManyOfThese, UnknownUser
from realtime.moderation.notes import Note, NoteGone
from realtime.moderation.people import Appointed, Banned, Card, Said
from realtime.moderation.repository import SanctionKind

UserId = FromPath[str]
Kind = Annotated[SanctionKind | None, QueryParameter(description="Bans or timeouts only.")]
NameBegins = Annotated[str | None, QueryParameter(max_length=40, description="The beginning of a name.")]
Name = Annotated[str, QueryParameter(min_length=1, max_length=40, description="The beginning of a name.")]


class Roles(msgspec.Struct, frozen=True):
    """Moderators, then VIPs, by name."""

    roles: list[Appointed]


class BanPage(msgspec.Struct, frozen=True):
    """Who is banned or timed out now, newest first."""

    bans: list[Banned]
    next_cursor: str | None


class FoundPeople(msgspec.Struct, frozen=True):
    people: list[User]


class SaidPage(msgspec.Struct, frozen=True):
    """What somebody said in this channel, newest first."""

    messages: list[Said]
    next_cursor: str | None


class NewNote(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class PeopleController(Controller):
    path = "/channels/{channel_id:str}"
    tags = ("Channels",)
    response_headers = NO_STORE

    @get(
        "/roles",
        guards=[signed_in],
        operation_id="listRoles",
        summary="Moderators and VIPs",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def roles(
        self, channel_id: ChannelId, channels: NamedDependency[Channels], identity: NamedDependency[Identity]
    ) -> Roles:
        return Roles(await channels.people.roles(identity, channel_id))

    @get(
        "/bans",
        guards=[signed_in],
        operation_id="listBans",
        summary="Who is banned or timed out",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def bans(
        self,
        channel_id: ChannelId,
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
        kind: Kind = None,
        q: NameBegins = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> BanPage:
        return BanPage(*await channels.people.bans(identity, channel_id, kind=kind, q=q, cursor=cursor, limit=limit))

    @get(
        "/people",
        guards=[signed_in],
        operation_id="findPeople",
        summary="People whose name begins so",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def find(
        self, channel_id: ChannelId, channels: NamedDependency[Channels], identity: NamedDependency[Identity], q: Name
    ) -> FoundPeople:
        return FoundPeople(await channels.people.find(identity, channel_id, q))

    @get(
        "/people/{user_id:str}",
        guards=[signed_in],
        operation_id="getPerson",
        summary="All that moderators know of somebody here",
        security=KNOWN_USER,
        responses=problems(*MODERATORS, UnknownUser),
    )
    async def card(
        self,
        channel_id: ChannelId,
        user_id: UserId,
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> Card:
        return await channels.people.card(identity, channel_id, user_id)

    @get(
        "/people/{user_id:str}/messages",
        guards=[signed_in],
        operation_id="listSaid",
        summary="What somebody said in this channel, removed messages marked",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def said(
        self,
        channel_id: ChannelId,
        user_id: UserId,
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> SaidPage:
        return SaidPage(*await channels.people.said(identity, channel_id, user_id, cursor, limit))

    @post(
        "/people/{user_id:str}/notes",
        guards=[signed_in],
        operation_id="addNote",
        summary="Write a note that the channel's moderators share",
        security=KNOWN_USER,
        responses=problems(*MODERATORS, UnknownUser, TooManyOfThese, body=True),
    )
    async def add_note(
        self,
        channel_id: ChannelId,
        user_id: UserId,
        data: Annotated[NewNote, Body(examples=[Example(summary="a note", value={"text": "Promised to behave."})])],
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> Note:
        return await channels.notes.add(identity, channel_id, user_id, data.text)

    @delete(
        "/people/{user_id:str}/notes/{note_id:str}",
        guards=[signed_in],
        operation_id="removeNote",
        summary="Remove a note",
        security=KNOWN_USER,
        responses=problems(*MODERATORS, NoteGone),
    )
    async def remove_note(
        self,
        channel_id: ChannelId,
        user_id: UserId,
        note_id: FromPath[str],
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> None:
        await channels.notes.remove(identity, channel_id, user_id, note_id)
