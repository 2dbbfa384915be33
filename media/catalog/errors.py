"""What can be refused or go wrong with videos, as sentences."""

from infra.errors import Forbidden, NotFound


class VideoNotFound(NotFound):
    """Also the answer for a video that the asker may not know of."""

    code = "video.not_found"
    message = "There is no such video."


class NotYourVideo(Forbidden):
    code = "video.not_yours"
    message = "This video belongs to somebody else."
