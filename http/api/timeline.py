"""How a stream went, on one time line: viewers, chat, moderation, followers, health. The rules are in `media/live/`."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import problems
from api.identity import signed_in
from infra.errors import Invalid
from media.errors import NotYourStream, StreamNotFound
from media.live.charts import Charts
from media.live.samples import Mark, Sample

POINTS = 240  # about one in two pixels of a phone
Points = Annotated[int, QueryParameter(ge=2, le=500, description="How many samples at most.")]
# As text, because Litestar names the parameter of the function in its refusal, and `from` cannot be one.
From = Annotated[str | None, QueryParameter(name="from", max_length=40, description="RFC 3339; else the beginning.")]
To = Annotated[str | None, QueryParameter(name="to", max_length=40, description="RFC 3339, not included; else now.")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class StreamTimeline(msgspec.Struct, frozen=True):
    """Samples by time, at most so many, `step_seconds` apart unless nothing was recorded; and what happened when."""

    samples: list[Sample]
    marks: list[Mark]
    step_seconds: int


class TimelineController(Controller):
    path = "/streams"
    tags = ("Streams",)
    response_headers = NO_STORE

    @get(
        "/{stream_id:str}/timeline",
        guards=[signed_in],
        operation_id="getStreamTimeline",
        summary="How the stream went so far: viewers, chat, moderation, followers, health",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, StreamNotFound, NotYourStream),
    )
    async def timeline(
        self,
        stream_id: FromPath[str],
        charts: NamedDependency[Charts],
        identity: NamedDependency[Identity],
        since: From = None,
        until: To = None,
        points: Points = POINTS,
    ) -> StreamTimeline:
        told = await charts.of(
            stream_id, identity, since=_moment("from", since), until=_moment("to", until), points=points
        )
        return StreamTimeline(told.samples, told.marks, told.step_seconds)


def _moment(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return msgspec.convert(text, Moment).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):  # in UTC some are before the year 1 or after 9999
        raise Invalid(fields={field: "must be a time with its zone, as in 2030-05-01T12:00:00Z"}) from None
