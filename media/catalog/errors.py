"""What can be refused or go wrong with videos, as sentences."""

from infra.errors import Conflict, Forbidden, Invalid, NotFound


class VideoNotFound(NotFound):
    """Also the answer for a video that the asker may not know of."""

    code = "video.not_found"
    message = "There is no such video."


class CaptionsInvalid(Invalid):
    """`details.reason`: `header`, `encoding`, `size`, `cues`, `times`, `order`, `text`, `empty` or `language`."""

    code = "captions.invalid"
    message = "These captions cannot be used. Send a WebVTT file."


class CaptionsNotFound(NotFound):
    code = "captions.not_found"
    message = "There are no captions in this language."


class TooManyCaptions(Conflict):
    code = "captions.too_many"
    message = "There are captions in very many languages already. Remove some first."


class PosterInvalid(Invalid):
    """`details.reason`: `type`, `size`, `dimensions` or `broken`."""

    code = "poster.invalid"
    message = "This picture cannot be used. Send a JPEG, PNG or WebP file."


class NotYourVideo(Forbidden):
    code = "video.not_yours"
    message = "This video belongs to somebody else."
