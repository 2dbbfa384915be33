"""What can be refused or go wrong with live streams, as sentences."""

from infra.errors import Conflict, FootlightError, Forbidden, Invalid, NotFound, Unavailable


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


class NoSuchMedia(NotFound):
    """The edge serves playlists, parts and segments by their exact names and nothing else."""

    code = "media.not_found"
    message = "There is no such playlist or segment."


class BadReloadQuery(Invalid):
    code = "media.reload_query"
    message = "_HLS_msn and _HLS_part must be whole numbers, each once, and near the end of the playlist."


class MediaNotReady(Unavailable):
    code = "media.not_ready"
    message = "There is nothing to play yet. Try again in a moment."


class OriginUnreachable(FootlightError):
    code = "media.origin_unreachable"
    message = "The picture cannot be fetched just now. Try again in a moment."
    retryable = True


class OriginTooSlow(FootlightError):
    code = "media.origin_too_slow"
    message = "The picture did not arrive in time. Try again."
    retryable = True


class EdgeBusy(Unavailable):
    code = "media.edge_busy"
    message = "Too many different things are being fetched at once. Try again in a moment."


class AlreadyPublishing(Conflict):
    code = "stream.already_publishing"
    message = "Already publishing: another encoder uses this stream key."


class IngestFull(Unavailable):
    code = "ingest.full"
    message = "The ingest is full. Try again in a moment."


class RtmpBroken(Invalid):
    """What a connection sent is not RTMP as we take it; the connection is closed."""

    code = "ingest.not_rtmp"
    message = "This is not RTMP."


class FragmentsBroken(Unavailable):
    """What came out of ffmpeg is not the fragmented MP4 we asked for; it is started anew."""

    code = "packaging.fragments"
    message = "The packager produced something unreadable."


class EncoderDied(Unavailable):
    code = "packaging.encoder_died"
    message = "The packager of this stream ended unexpectedly."


class PremiumOnly(Forbidden):
    code = "playback.premium"
    message = "This is for subscribers. Subscribe to watch it."


class NotPlayableYet(NotFound):
    code = "playback.not_ready"
    message = "There is nothing to play yet. It is still being made."


class MediaDenied(Forbidden):
    """Says the same whatever is wrong with the cookies, as a CDN does."""

    code = "media.denied"
    message = "You may not have this, or no longer. Ask for playback again."
