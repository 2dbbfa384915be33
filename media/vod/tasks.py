"""The rules of transcoding, without I/O: what is to be done for a video, in which order, what follows a failure, and
how long it will still take.

A video is `prepare` first; its plan then gives `low` (the lowest quality) and `high` (all others) for each chunk,
`audio`, `poster` and `pictures`; `finish` follows when all of them are done.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from infra.bus.port import Retry
from infra.errors import FootlightError, Unavailable
from media.catalog.model import Failure
from media.vod.errors import LeaseLost, MediaRefused, ScratchFull, SourceGone
from media.vod.plan import Plan

Kind = Literal["prepare", "low", "audio", "poster", "finish", "high", "pictures", "job"]
# The order of one creator's tasks. Everything up to `finish` is what somebody waits for before the first picture.
ORDER: tuple[Kind, ...] = get_args(Kind)
LOW_LATER = 5  # the lowest quality of later chunks: after every first picture, before the other qualities
ENCODES: tuple[Kind, ...] = ("low", "high")
URGENT: frozenset[Kind] = frozenset({"prepare", "low", "audio", "poster", "finish"})

# Places kept free for quick tasks take none that could fill them for long.
QUICK_SOURCE_BYTES = 2 << 30
QUICK_SECONDS = 600.0

# Weights are roughly seconds of work: pixels encoded, at the 140 million a second that one core does with x264
# ultrafast (measured: 854x480 at 30 a second, 11.7 times real time), and small constants.
PIXELS_A_SECOND = 140e6
AUDIO_SPEED = 60.0
PREPARING_WEIGHT = 0.7
FINISHING_WEIGHT = 0.2
PICTURES_SPEED = 400.0

PAUSES = Retry(first_seconds=1.0, longest_seconds=60.0)
# Ends that were not the video's fault, at pauses that grow to a minute: over three hours of outage.
MOST_EXCUSES = 200
TOLD_FROM = 0.02  # before that, no estimate


@dataclass(frozen=True, slots=True)
class NewTask:
    """A row to be."""

    kind: Kind
    chunk: int
    rank: int
    quick: bool
    weight: float


@dataclass(frozen=True, slots=True)
class TaskShare:
    """What one task adds to the progress of its video."""

    kind: Kind
    weight: float
    progress: float  # 0 to 1


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after a pause; `counts` says whether it was an attempt."""

    pause_seconds: float
    counts: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The whole video fails."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Drop:
    """The task is no longer ours: nothing is to be said about it."""


Verdict = Again | GiveUp | Drop


def first_task(size_bytes: int) -> NewTask:
    """What a requested video begins with."""
    return NewTask("prepare", 0, 0, size_bytes <= QUICK_SOURCE_BYTES, PREPARING_WEIGHT)


def after_prepare(plan: Plan) -> list[NewTask]:
    """All that a plan asks for, `finish` apart."""
    tasks = [_new("poster", 0, 0.3), _new("pictures", 0, 0.3 + plan.duration_seconds / PICTURES_SPEED)]
    if plan.audio is not None:
        tasks.append(_new("audio", 0, 0.2 + plan.duration_seconds / AUDIO_SPEED, plan.duration_seconds))
    for chunk in plan.chunks:
        seconds = (plan.cuts[chunk.end] if chunk.end < len(plan.cuts) else plan.duration_seconds) - plan.cuts[
            chunk.first
        ]
        tasks.extend(
            _new(kind, chunk.number, _encoding_weight(plan, names, seconds), seconds)
            for kind in ENCODES
            if (names := renditions_of(plan, kind))
        )
    return tasks


def service_task(plan: Plan) -> list[NewTask]:
    """All that a plan asks for, where a service does it."""
    names = tuple(rendition.name for rendition in plan.renditions)
    return [_new("job", 0, _encoding_weight(plan, names, plan.duration_seconds))]


def last_task() -> NewTask:
    """What follows when nothing else is left."""
    return _new("finish", 0, FINISHING_WEIGHT)


def renditions_of(plan: Plan, kind: Kind) -> tuple[str, ...]:
    """The qualities that a `low` or `high` task makes."""
    names = tuple(rendition.name for rendition in plan.renditions)
    return {"low": names[:1], "high": names[1:]}.get(kind, ())


def judge(error: BaseException, attempt: int, excuses: int, max_attempts: int, now: datetime) -> Verdict:
    """What follows when attempt number `attempt` of a task ended with `error`."""
    if isinstance(error, LeaseLost):
        return Drop()
    if isinstance(error, MediaRefused | SourceGone):
        return GiveUp(Failure(error.code, error.message, retryable=False, at=now))
    if is_our_fault(error) and excuses < MOST_EXCUSES:
        return Again(PAUSES.delay_seconds(excuses + 1), counts=False)
    if attempt >= max_attempts:
        return GiveUp(_failure_of(error, attempt, now))
    return Again(PAUSES.delay_seconds(attempt), counts=True)


def is_our_fault(error: BaseException) -> bool:
    """Whether the machine or a store was the reason, so that any other video would have fared the same."""
    return isinstance(error, Unavailable | ScratchFull)


def after_loss(attempt: int, max_attempts: int, now: datetime) -> Again | GiveUp:
    """What follows when a worker was not heard of for as long as its lease."""
    if attempt >= max_attempts:
        words = f"Making this video stopped without a word {attempt} times. Try again; if it stops again, tell us."
        return GiveUp(Failure("transcode.lost", words, retryable=True, at=now))
    return Again(PAUSES.delay_seconds(attempt), counts=True)


def share_done(shares: Iterable[TaskShare]) -> float:
    """How much of the work is done, 0 to 1. Before the plan is known, less than it may look like."""
    known = list(shares)
    total = sum(share.weight for share in known)
    if total <= 0:
        return 0.0
    done = sum(share.weight * min(1.0, share.progress) for share in known) / total
    # What `prepare` alone knows is a small part of what there will be.
    return done * 0.05 if all(share.kind == "prepare" for share in known) else min(done, 0.999)


def eta_seconds(done: float, spent_seconds: float) -> float | None:
    """How long it takes if it goes on as fast as so far; None while that is a guess."""
    if done < TOLD_FROM or spent_seconds <= 0:
        return None
    return spent_seconds * (1 - done) / done


def stage_of(shares: Sequence[TaskShare]) -> Literal["checking", "encoding", "finishing"]:
    """Where the making of a video is."""
    if all(share.kind == "prepare" for share in shares):
        return "checking"
    return "finishing" if any(share.kind == "finish" for share in shares) else "encoding"


def _new(kind: Kind, chunk: int, weight: float, seconds: float = 0.0) -> NewTask:
    later = kind == "low" and chunk > 0
    rank = LOW_LATER if later else ORDER.index(kind) + (kind in ("high", "pictures"))
    return NewTask(kind, chunk, rank, kind in URGENT and not later and seconds <= QUICK_SECONDS, weight)


def _encoding_weight(plan: Plan, names: Sequence[str], seconds: float) -> float:
    made = [rendition for rendition in plan.renditions if rendition.name in names and not rendition.copy]
    return 0.1 + sum(one.width * one.height * one.fps for one in made) * seconds / PIXELS_A_SECOND


def _failure_of(error: BaseException, attempt: int, now: datetime) -> Failure:
    if isinstance(error, FootlightError):
        code, what = error.code, error.message
    else:
        code, what = "transcode.failed", "Something went wrong on our side while this video was made."
    return Failure(code, f"{what} It was tried {attempt} times.", retryable=True, at=now)
