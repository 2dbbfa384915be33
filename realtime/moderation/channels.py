"""All that HTTP offers of channels, wired."""

from dataclasses import dataclass
from typing import Literal, Self

import msgspec

from accounts.model import Identity
from infra.clock import Clock, NewId, new_id
from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from media.live.repository import StreamRepository
from realtime.entries import RoomRole
from realtime.moderation import follows as following
from realtime.moderation import repository
from realtime.moderation.access import person_here
from realtime.moderation.actions import Moderation
from realtime.moderation.audit import Audit
from realtime.moderation.bodies import Restriction
from realtime.moderation.capabilities import TABLE
from realtime.moderation.filters import Filters
from realtime.moderation.follows import Follows
from realtime.moderation.notes import Notes
from realtime.moderation.people import People, SaidArchive, restriction_of
from realtime.moderation.requests import UnbanRequests
from realtime.room.rules import Caution

ON_AIR = ("live", "interrupted")
# A page that offers them stays a list one can read; nobody moderates more by hand.
MAX_MODERATED = 200


class ChannelInfo(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    display_name: str
    live_stream_id: str | None
    followers: int


class MeHere(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks; without an account a viewer who may nothing. Times in Unix milliseconds."""

    role: RoomRole = "viewer"
    capabilities: list[str] = []
    following_since: int | None = None
    restriction: Restriction | None = None
    warning: Caution | None = None


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    channel: ChannelInfo
    me: MeHere


class Moderated(msgspec.Struct, frozen=True, kw_only=True):
    """A channel whose desk is open to who asks."""

    id: str
    display_name: str
    role: Literal["creator", "moderator"]
    live_stream_id: str | None


@dataclass(frozen=True)
class Channels:
    """It owns nothing that has to be closed."""

    db: Postgres
    moderation: Moderation
    follows: Follows
    filters: Filters
    people: People
    notes: Notes
    requests: UnbanRequests
    audit: Audit
    clock: Clock

    @classmethod
    def over(
        cls,
        db: Postgres,
        outbox: Outbox,
        moderation: Moderation,
        archive: SaidArchive,
        *,
        clock: Clock,
        new_id: NewId = new_id,
    ) -> Self:
        return cls(
            db=db,
            moderation=moderation,
            follows=Follows(db, outbox, clock=clock),
            filters=Filters(db, moderation.records, clock=clock, new_id=new_id),
            people=People(db, archive, clock=clock),
            notes=Notes(db, clock=clock, new_id=new_id),
            requests=UnbanRequests(db, moderation, clock=clock, new_id=new_id),
            audit=Audit(db),
            clock=clock,
        )

    async def view(self, channel_id: str, identity: Identity | None) -> ChannelView:
        """The channel as this person sees it; raises `ChannelNotFound`."""
        async with self.db.connection() as connection:
            owner = await person_here(connection, channel_id, channel_id)
            stream = await StreamRepository().open_of(connection, channel_id)
            info = ChannelInfo(
                id=channel_id,
                display_name=owner.name,
                live_stream_id=stream.id if stream and stream.status in ON_AIR else None,
                followers=await following.count(connection, channel_id),
            )
            if identity is None:
                return ChannelView(channel=info, me=MeHere())
            me = await person_here(connection, channel_id, identity.user_id)
            standing = await repository.sanction(connection, channel_id, me.id, self.clock())
            return ChannelView(
                channel=info,
                me=MeHere(
                    role=me.role,
                    capabilities=[] if standing else list(TABLE[me.role]),
                    following_since=await following.following_since(connection, channel_id, me.id),
                    restriction=restriction_of(standing),
                    warning=await repository.caution(connection, channel_id, me.id),
                ),
            )

    async def moderated(self, user_id: str) -> list[Moderated]:
        """The own channel first, if it is a creator's, then those they moderate by name; at most `MAX_MODERATED`."""
        async with self.db.connection() as connection:
            rows = await repository.moderated_by(connection, user_id, MAX_MODERATED)
        return [
            Moderated(
                id=str(row["id"]),
                display_name=row["display_name"],
                role=row["role"],
                live_stream_id=str(row["live_stream_id"]) if row["live_stream_id"] else None,
            )
            for row in rows
        ]
