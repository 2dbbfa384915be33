"""When a recording is given up, and what its creator is told. Pure.

A store that is away or a full disk says nothing about the recording: such tries do not count, but after `LONGEST` it
fails all the same, so that its creator knows. A try whose worker died counts, since the recording may have killed it.
"""

from datetime import datetime, timedelta

from infra.errors import Unavailable
from infra.stores.objects import NoSuchObject
from media.catalog.model import Failure
from media.errors import FragmentsBroken
from media.recording.repository import Due

MOST_FAILURES = 10  # over three quarters of an hour, as long as tries are put off
LONGEST = timedelta(days=1)
KEPT = timedelta(days=7)  # pieces of a recording that failed, for a second try

CODE = "recording.failed"
STORES_AWAY = "The recording could not be made into a video for a day: our storage was out of reach. Try again."
PIECES_GONE = "Parts of the recording are missing, so that no video could be made of it."
PIECES_BROKEN = "What the encoder sent does not fit together, so that no video could be made of it."
UNKNOWN = "The recording could not be made into a video. Try again, or ask for help if it fails again."


def is_our_trouble(failure: BaseException | None) -> bool:
    """Whether it says nothing about the recording. None: nobody knows what happened."""
    if isinstance(failure, FragmentsBroken):
        return False
    stopped = failure is not None and not isinstance(failure, Exception)
    return stopped or isinstance(failure, Unavailable | OSError)


def is_over(due: Due, now: datetime) -> bool:
    """Whether it is given up after the try in hand, which failed. `due.failures` has that one already if it counts."""
    return due.failures >= MOST_FAILURES or now - due.first_tried_at >= LONGEST


def failure_of(cause: BaseException | None, at: datetime) -> Failure:
    """In words for the creator."""
    match cause:
        case FragmentsBroken():
            message = PIECES_BROKEN
        case NoSuchObject():
            message = PIECES_GONE
        case _ if is_our_trouble(cause):
            message = STORES_AWAY
        case _:
            message = UNKNOWN
    return Failure(CODE, message, retryable=True, at=at)
