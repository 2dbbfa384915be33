"""What MediaConvert's error codes mean for a creator. Pure.

The codes: https://docs.aws.amazon.com/mediaconvert/latest/ug/mediaconvert_error_codes.html. One that is not known here
is tried again, and after the last attempt the creator may press the button.
"""

from infra.errors import FootlightError, Unavailable
from media.vod.errors import EncodeFailed, NoPicture, SourceGone, Unreadable

NOT_THERE = frozenset({1404, 3404})
# 1030: no video in the input; 1040: a setting needs a track that is not there.
NO_VIDEO = frozenset({1030})
UNREADABLE = frozenset({1076, 1515, 1516, 1517, 1518, 1522, 1550, 1601})
# 1010, 1401, 3401 ..: the role may not read or write; 1433, 1434, 3450: storage away; 9999: the service itself.
NOT_THE_VIDEOS = frozenset({1010, 1401, 1403, 1432, 1433, 1434, 3400, 3401, 3403, 3408, 3429, 3450, 3500, 3503, 9999})


class ServiceFault(Unavailable):
    """Something other than the video: waiting may help, another file would fare the same."""

    code = "service.mediaconvert_fault"
    message = "The video service could not do its work just now."


def fault_of(code: int, why: str) -> FootlightError:
    """The error of a job that ended with this code."""
    if code in NOT_THERE:
        return SourceGone()
    if code in NO_VIDEO:
        return NoPicture()
    if code in UNREADABLE:
        return Unreadable()
    return ServiceFault(code=code) if code in NOT_THE_VIDEOS else EncodeFailed(code=code, why=why)
