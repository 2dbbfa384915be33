"""What is known of a stream, moment by moment, and how a long life fits on a small chart. Pure.

A reading is taken every `SLOT_SECONDS`. It has the chat's offset as it was; how much was said between two readings is
found when they are read, so that no sampler has to remember anything.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Literal, TypeVar

import msgspec

from media.events import StreamStatus

SLOT_SECONDS = 10
# The chat between two readings further apart than this belongs to neither.
LONGEST_STEP = timedelta(seconds=3 * SLOT_SECONDS)
# Steps that people can read off an axis; beyond the last one it doubles.
STEPS_SECONDS = (10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
BURST_ACTIONS = 10  # within a minute: more than one moderator does by hand in peace
BURST_SPAN = timedelta(minutes=1)

Number = TypeVar("Number", int, float)
MarkKind = Literal["went_live", "interrupted", "resumed", "described", "ended", "raid", "moderation_burst"]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """As taken. `at` is the end of its slot; counts are those of the slot, `entries` is the chat's newest offset."""

    stream_id: str
    at: datetime
    status: StreamStatus
    viewers: int
    peak: int
    entries: int | None
    actions: int
    followers: int
    bitrate_kbps: float | None
    fps: float | None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """As shown. Counts are those of the step; None is unknown."""

    at: datetime
    viewers: int
    peak: int
    messages: int | None
    actions: int
    followers: int
    bitrate_kbps: float | None
    fps: float | None
    status: StreamStatus


class Mark(msgspec.Struct, frozen=True):
    """A moment worth a line on the chart, in words."""

    at: datetime
    kind: MarkKind
    text: str


def slot_of(moment: datetime) -> datetime:
    """The end of the last whole slot."""
    return datetime.fromtimestamp(moment.timestamp() // SLOT_SECONDS * SLOT_SECONDS, UTC)


def samples_of(readings: Iterable[Reading]) -> list[Sample]:
    """The readings of one stream, by time, with what was said in the chat between one and the next."""
    found: list[Sample] = []
    before: Reading | None = None
    for reading in readings:
        found.append(
            Sample(
                at=reading.at,
                viewers=reading.viewers,
                peak=reading.peak,
                messages=_said(before, reading),
                actions=reading.actions,
                followers=reading.followers,
                bitrate_kbps=reading.bitrate_kbps,
                fps=reading.fps,
                status=reading.status,
            )
        )
        before = reading
    return found


def _said(before: Reading | None, after: Reading) -> int | None:
    if before is None or before.entries is None or after.entries is None or after.at - before.at > LONGEST_STEP:
        return None
    # Fewer than before: the log was lost and began anew.
    return after.entries - before.entries if after.entries >= before.entries else after.entries


def step_for(first: datetime, last: datetime, points: int) -> int:
    """The smallest step in seconds that makes at most `points` (2 or more) of the samples from `first` to `last`."""
    step, ladder = STEPS_SECONDS[0], iter(STEPS_SECONDS[1:])
    while _place(last, step) - _place(first, step) >= points:
        step = next(ladder, step * 2)
    return step


def down_sample(samples: Sequence[Sample], step_seconds: int) -> list[Sample]:
    """One sample for each step that has any, at its beginning: most viewers, sums of counts, means of health."""
    return [
        _together(datetime.fromtimestamp(place * step_seconds, UTC), list(group))
        for place, group in groupby(samples, key=lambda sample: _place(sample.at, step_seconds))
    ]


def _place(moment: datetime, step_seconds: int) -> int:
    return int(moment.timestamp() // step_seconds)


def _together(at: datetime, samples: Sequence[Sample]) -> Sample:
    said = _known(sample.messages for sample in samples)
    return Sample(
        at=at,
        viewers=max(sample.viewers for sample in samples),
        peak=max(sample.peak for sample in samples),
        messages=sum(said) if said else None,
        actions=sum(sample.actions for sample in samples),
        followers=sum(sample.followers for sample in samples),
        bitrate_kbps=_mean(_known(sample.bitrate_kbps for sample in samples)),
        fps=_mean(_known(sample.fps for sample in samples)),
        # What went wrong in a step must not vanish in it.
        status="interrupted" if any(sample.status == "interrupted" for sample in samples) else samples[-1].status,
    )


def _known(values: Iterable[Number | None]) -> list[Number]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 1) if values else None


def bursts(samples: Sequence[Sample]) -> list[Mark]:
    """Where moderators were suddenly busy: `BURST_ACTIONS` within a minute, one mark until it is calm again."""
    found: list[Mark] = []
    first, within, busy = 0, 0, False
    for sample in samples:
        within += sample.actions
        while samples[first].at <= sample.at - BURST_SPAN:
            within -= samples[first].actions
            first += 1
        if within >= BURST_ACTIONS and not busy:
            found.append(Mark(sample.at, "moderation_burst", f"{within} moderation actions in a minute"))
        busy = within >= BURST_ACTIONS
    return found
