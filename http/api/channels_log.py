"""The moderation log under `/channels/{id}/log`: pages, a download, figures."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Stream

from accounts.model import Identity
from api.auth import KNOWN_USER, NO_STORE
from api.channels import MODERATORS, ChannelId, Cursor, Limit
from api.errors import problems
from api.identity import signed_in
from infra.errors import Invalid
from realtime.moderation.audit import Figures, Format, LogFilter
from realtime.moderation.bodies import Ruling
from realtime.moderation.channels import Channels

MEDIA_TYPES = {"csv": "text/csv", "json": "application/json"}

Form = Annotated[Format, QueryParameter(name="format", description="CSV or JSON.")]
Actor = Annotated[str | None, QueryParameter(max_length=64, description="Who did it: a user's id.")]
Target = Annotated[str | None, QueryParameter(max_length=64, description="To whom: a user's id.")]
ActionName = Annotated[str | None, QueryParameter(max_length=40, description="`ban`, `timeout`, `undo`, ...")]
# As text, because Litestar names the parameter of the function in its refusal, and `from` cannot be one.
From = Annotated[str | None, QueryParameter(name="from", max_length=40, description="ISO 8601; else the beginning.")]
To = Annotated[str | None, QueryParameter(name="to", max_length=40, description="ISO 8601, not included; else now.")]


class LogPage(msgspec.Struct, frozen=True):
    """Newest first."""

    rulings: list[Ruling]
    next_cursor: str | None


class FigureList(msgspec.Struct, frozen=True):
    """The busiest first."""

    figures: list[Figures]


def moment(name: str, text: str | None) -> datetime | None:
    """A time or a day (its beginning), in UTC when it does not say; raises `Invalid`."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # in UTC some are before the year 1 or after 9999
        raise Invalid(fields={name: "is not a time as ISO 8601 has it"}) from None


async def period(since: From = None, until: To = None) -> LogFilter:
    """Only when."""
    return LogFilter(since=moment("from", since), until=moment("to", until))


async def wanted(
    period: NamedDependency[LogFilter], actor: Actor = None, target: Target = None, action: ActionName = None
) -> LogFilter:
    return msgspec.structs.replace(period, actor=actor, target=target, action=action)


class LogController(Controller):
    path = "/channels/{channel_id:str}/log"
    tags = ("Channels",)
    response_headers = NO_STORE
    dependencies = {"period": Provide(period), "wanted": Provide(wanted)}  # noqa: RUF012 - as Litestar declares it

    @get(
        "/",
        guards=[signed_in],
        operation_id="listRulings",
        summary="What moderators did",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def listed(
        self,
        channel_id: ChannelId,
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
        wanted: NamedDependency[LogFilter],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> LogPage:
        return LogPage(*await channels.audit.page(identity, channel_id, wanted, cursor, limit))

    @get(
        "/export",
        guards=[signed_in],
        operation_id="exportRulings",
        summary="The whole log as a download",
        opt={"also_answers": ("text/csv",)},
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def export(
        self,
        channel_id: ChannelId,
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
        period: NamedDependency[LogFilter],
        form: Form = "json",
    ) -> Stream:
        pieces = await channels.audit.export(identity, channel_id, period, form)
        name = f"moderation-log.{form}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Stream(pieces, media_type=MEDIA_TYPES[form], headers=headers)

    @get(
        "/figures",
        guards=[signed_in],
        operation_id="getModerationFigures",
        summary="How many of each action each moderator did",
        security=KNOWN_USER,
        responses=problems(*MODERATORS),
    )
    async def figures(
        self,
        channel_id: ChannelId,
        channels: NamedDependency[Channels],
        identity: NamedDependency[Identity],
        period: NamedDependency[LogFilter],
    ) -> FigureList:
        return FigureList(await channels.audit.figures(identity, channel_id, period))
