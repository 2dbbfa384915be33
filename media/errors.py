"""What can be refused about live streams, as sentences."""

from infra.errors import Conflict, Forbidden, Invalid, NotFound


class StreamNotFound(NotFound):
    code = "stream.not_found"
    message = "There is no such stream."


class NothingToPlayYet(NotFound):
    code = "stream.nothing_to_play"
    message = "The stream has no picture yet. Try again in a moment."


class StreamIsOver(Conflict):
    code = "stream.ended"
    message = "This stream is over."


class StreamAlreadyOpen(Conflict):
    """`details.stream_id` names the open one."""

    code = "stream.already_open"
    message = "You already have an open stream. Stop it before you start another."


class CreatorsOnly(Forbidden):
    code = "stream.creators_only"
    message = "Only creators can go live. Become one in your account first."


class NotYourStream(Forbidden):
    code = "stream.not_yours"
    message = "This stream belongs to somebody else."


class KeyRefused(Forbidden):
    """Says the same for an unknown, a mistyped and a replaced key."""

    code = "stream.key_refused"
    message = "This stream key is not valid. Copy the present key from the studio."


class TextRefused(Invalid):
    """`details.fields` says what is wrong with which field, as every validation error does."""
