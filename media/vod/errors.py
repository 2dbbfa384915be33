"""What can be refused or go wrong with uploads and transcoding, as sentences."""

from infra.errors import Conflict, FootlightError, Invalid, NotFound, Unavailable


class MediaRefused(Invalid):
    """The file itself is guilty: trying again would end the same. The message is for its creator."""

    code = "media.refused"
    message = "This file cannot be made into a video."


class LeaseLost(Conflict):
    """Somebody else has the task now, or the video is being deleted: stop, and say nothing."""

    code = "transcode.lease_lost"
    message = "This piece of work is no longer ours."


class SourceGone(NotFound):
    code = "transcode.source_gone"
    message = "The uploaded file is no longer stored. Upload it again."


class SourceDamaged(FootlightError):
    code = "transcode.source_damaged"
    message = "The stored file is not what was uploaded: its size or a checksum differs."
    retryable = True


class ScratchFull(Unavailable):
    code = "transcode.scratch_full"
    message = "The machine that makes videos has no space left."


class TranscodeIncomplete(FootlightError):
    code = "transcode.incomplete"
    message = "Some pieces of the video are missing."
    retryable = True
