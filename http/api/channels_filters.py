"""What a channel lets through, under `/channels/{id}`: its rules, AutoMod and terms."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.channels import MODERATORS, ChannelId, Cursor, Limit
from api.errors import problems
from api.identity import signed_in
from realtime.moderation.automod import AutoModRules
from realtime.moderation.channels import Channels
from realtime.moderation.errors import AlreadySo, ChannelNotFound
from realtime.moderation.filters import ChannelRulesView, TermGone
from realtime.moderation.terms import TermInvalid
from realtime.moderation.terms_table import Term, TermAction, TermKind


class NewTerm(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A public term is told to whoever writes it; `hold` lets a moderator decide, `refuse` does not."""

    text: Annotated[str, Meta(min_length=2, max_length=500)]
    kind: TermKind
    action: TermAction = "hold"
    public: bool = False


class TermPage(msgspec.Struct, frozen=True):
    """Newest first."""

    terms: list[Term]
    next_cursor: str | None


class PublicTerms(msgspec.Struct, frozen=True):
    """Blocked terms that everybody may know."""

    terms: Sequence[str]


class FilterController(Controller):
    path = "/channels/{channel_id:str}"
    tags = ("Channels",)
    response_headers = NO_STORE

    @get(
        "/rules",
        guards=[signed_in],
        operation_id="getChannelRules",
        summary="Settings and AutoMod as they are now",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def rules(
        self, channel_id: ChannelId, channels: NamedDependency[Channels], identity: NamedDependency[Identity]
    ) -> ChannelRulesView:
        return await channels.filters.rules(identity, channel_id)

    @put(
        "/automod",
        guards=[signed_in],
        operation_id="setAutoMod",
        summary="Replace the settings of AutoMod",
        security=KNOWN_USER,
        responses=problems(*MODERATORS, body=True),
    )
    async def set_automod(
        self,
        channel_id: ChannelId,
        data: Annotated[AutoModRules, Body(examples=[Example(summary="a middle level", value={"level": 2})])],
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> ChannelRulesView:
        return await channels.filters.set_automod(identity, channel_id, data)

    @get(
        "/terms",
        guards=[signed_in],
        operation_id="listTerms",
        summary="Blocked and allowed terms",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def terms(
        self,
        channel_id: ChannelId,
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> TermPage:
        return TermPage(*await channels.filters.terms(identity, channel_id, cursor, limit))

    @get(
        "/terms/public",
        operation_id="listPublicTerms",
        summary="The blocked terms that everybody may know",
        responses=problems(ChannelNotFound),
    )
    async def public_terms(self, channel_id: ChannelId, channels: NamedDependency[Channels]) -> PublicTerms:
        return PublicTerms(await channels.filters.public_terms(channel_id))

    @post(
        "/terms",
        guards=[signed_in],
        operation_id="addTerm",
        summary="Block or allow a term",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, *MODERATORS, TermInvalid, AlreadySo, body=True),
    )
    async def add_term(
        self,
        channel_id: ChannelId,
        data: Annotated[
            NewTerm, Body(examples=[Example(summary="blocked", value={"text": "spoil*", "kind": "blocked"})])
        ],
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> Term:
        return await channels.filters.add_term(
            identity, channel_id, data.text, data.kind, action=data.action, public=data.public
        )

    @delete(
        "/terms/{term_id:str}",
        guards=[signed_in],
        operation_id="removeTerm",
        summary="Forget a term",
        security=KNOWN_USER,
        responses=problems(*MODERATORS, TermGone),
    )
    async def remove_term(
        self,
        channel_id: ChannelId,
        term_id: FromPath[str],
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
    ) -> None:
        await channels.filters.remove_term(identity, channel_id, term_id)
