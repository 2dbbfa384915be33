"""The wall clock of a recording: what happened when is seen where. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from media.catalog.model import Span


def position_of(spans: Sequence[Span], at: datetime) -> float | None:
    """Seconds into the video; None after its end. What happened while no encoder was there is seen at the cut, what
    happened before the beginning at 0."""
    number = bisect_right(spans, at, key=lambda span: span.at) - 1
    if number < 0:
        return 0.0 if spans else None
    span = spans[number]
    into = (at - span.at).total_seconds()
    if into < span.duration_seconds:
        return span.position_seconds + into
    return spans[number + 1].position_seconds if number + 1 < len(spans) else None


def seen_from(spans: Sequence[Span], position_seconds: float) -> datetime | None:
    """The first moment that is seen there or later; None for the beginning and all that was before it."""
    number = bisect_right(spans, position_seconds, key=lambda span: span.position_seconds) - 1
    if number < 0 or position_seconds <= 0:
        return None
    span = spans[number]
    into = position_seconds - span.position_seconds
    if into == 0:
        return _end_of(spans[number - 1])  # with what was said while the encoder was away
    return span.at + timedelta(seconds=min(into, span.duration_seconds))


def end_of(spans: Sequence[Span]) -> datetime:
    """When the last thing happened that is seen. There is a span."""
    return _end_of(spans[-1])


def _end_of(span: Span) -> datetime:
    return span.at + timedelta(seconds=span.duration_seconds)
