"""A channel's AutoMod and terms: what moderators set. Each change is a row of the log; undo is setting it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from accounts.model import Identity
from infra import cursors
from infra.clock import Clock, NewId, milliseconds
from infra.errors import NotFound
from infra.stores.postgres import Connection, Postgres
from realtime.entries import RoomSettings, User
from realtime.moderation import repository, terms_table
from realtime.moderation.access import acting, admitted, person_here
from realtime.moderation.automod import AutoModRules
from realtime.moderation.deeds import Deed, Values
from realtime.moderation.errors import AlreadySo
from realtime.moderation.record import Held, Records
from realtime.moderation.terms import Term as AutoModTerm
from realtime.moderation.terms import Terms
from realtime.moderation.terms_table import Term, TermAction, TermKind
from realtime.room.rules import Patch, Private


class TermGone(NotFound):
    code = "automod.term_gone"
    message = "There is no such term."


class ChannelRulesView(msgspec.Struct, frozen=True, kw_only=True):
    """What moderators set, as it is now."""

    settings: RoomSettings
    automod: AutoModRules
    revision: int


class Filters:
    """Every method asks who asks; raises `ChannelNotFound`, `NotAllowed`."""

    def __init__(self, db: Postgres, records: Records, *, clock: Clock, new_id: NewId) -> None:
        self._db = db
        self._records = records
        self._clock = clock
        self._new_id = new_id

    async def rules(self, identity: Identity, channel_id: str) -> ChannelRulesView:
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            channel = await repository.channel(connection, channel_id)
        return ChannelRulesView(
            settings=channel.settings,
            automod=msgspec.convert(channel.automod, AutoModRules),
            revision=channel.revision,
        )

    async def set_automod(self, identity: Identity, channel_id: str, rules: AutoModRules) -> ChannelRulesView:
        """Replaces all of it; the same again changes nothing."""

        async def decide(held: Held) -> Sequence[Deed]:
            actor = await acting(held.connection, channel_id, identity, "settings", self._clock())
            new, old = msgspec.to_builtins(rules), held.channel.automod
            if msgspec.convert(old, AutoModRules) == rules:
                return []
            await repository.set_automod(held.connection, channel_id, new)
            return [self._deed(actor, channel_id, "automod", before=old, after=new)]

        await self._records.decide(channel_id, decide)
        return await self.rules(identity, channel_id)

    async def terms(
        self, identity: Identity, channel_id: str, cursor: str | None, limit: int
    ) -> tuple[list[Term], str | None]:
        """Newest first."""
        before = cursors.decode(cursor, tuple[datetime, UUID])
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            found = await terms_table.newest(connection, channel_id, before=before, limit=limit + 1)
        return cursors.cut(found, limit, lambda term: (repository.moment(term.at), term.id))

    async def public_terms(self, channel_id: str) -> Sequence[str]:
        """The blocked terms that everybody may know; for everybody. Raises `ChannelNotFound`."""
        async with self._db.connection() as connection:
            await person_here(connection, channel_id, channel_id)
            return await terms_table.public(connection, channel_id)

    async def add_term(
        self, identity: Identity, channel_id: str, text: str, kind: TermKind, *, action: TermAction, public: bool
    ) -> Term:
        """Raises `TermInvalid`, also for one too many, and `AlreadySo`."""
        term: Any = None

        async def decide(held: Held) -> Sequence[Deed]:
            nonlocal term
            actor = await acting(held.connection, channel_id, identity, "settings", self._clock())
            at = milliseconds(self._clock())
            term = Term(
                id=self._new_id(), text=text.strip(), kind=kind, action=action, public=public, by_id=actor.id,
                by_name=actor.name, at=at,
            )  # fmt: skip
            await _require_usable(held.connection, channel_id, term)
            if not await terms_table.add(held.connection, channel_id, term, repository.moment(at)):
                raise AlreadySo
            return [self._deed(actor, channel_id, "term_add", after=_shown(term))]

        await self._records.decide(channel_id, decide)
        added: Term = term
        return added

    async def remove_term(self, identity: Identity, channel_id: str, term_id: str) -> None:
        """Raises `TermGone`."""

        async def decide(held: Held) -> Sequence[Deed]:
            actor = await acting(held.connection, channel_id, identity, "settings", self._clock())
            term = await terms_table.remove(held.connection, channel_id, term_id)
            if term is None:
                raise TermGone
            return [self._deed(actor, channel_id, "term_remove", before=_shown(term))]

        if not repository.is_id(term_id):
            raise TermGone
        await self._records.decide(channel_id, decide)

    def _deed(
        self, actor: User, channel_id: str, action: Literal["automod", "term_add", "term_remove"], **values: Values
    ) -> Deed:
        return Deed(
            id=self._new_id(),
            channel_id=channel_id,
            at=milliseconds(self._clock()),
            action=action,
            actor=actor,
            patch=Patch(private=Private()),
            before=values.get("before"),
            after=values.get("after"),
        )


async def _require_usable(connection: Connection, channel_id: str, term: Term) -> None:
    """Raise `TermInvalid` for a term that AutoMod cannot match in time beside those that are there."""
    rows = await terms_table.texts(connection, channel_id)
    others = [_for_automod(row["text"], row["kind"], row["action"], public=row["public"]) for row in rows]
    Terms.compile([*others, _for_automod(term.text, term.kind, term.action, public=term.public)])


def _for_automod(text: str, kind: TermKind, action: TermAction, *, public: bool) -> AutoModTerm:
    return AutoModTerm(text, kind, action, "public" if public else "private")


def _shown(term: Term) -> Values:
    return {"id": term.id, "text": term.text, "kind": term.kind, "action": term.action, "public": term.public}
