"""What can be refused or go wrong with uploads and transcoding, as sentences."""

from infra.errors import Conflict, FootlightError, Forbidden, Invalid, NotFound, TooLarge, Unavailable

# --- uploads


class PublishersOnly(Forbidden):
    code = "upload.creators_only"
    message = "Only creators can publish videos. Become one in your account first."


class UploadTooLarge(TooLarge):
    """`details.max_bytes`."""

    code = "upload.too_large"
    message = "This file is larger than one may upload."


class QuotaExceeded(Conflict):
    """`details.used_bytes`, `details.limit_bytes`."""

    code = "upload.quota"
    message = "This would take more room than your account has. Delete videos or unfinished uploads first."


class TooManyUploads(Conflict):
    """`details.limit`."""

    code = "upload.too_many_open"
    message = "You have too many unfinished uploads. Finish or remove some first."


class UploadIncomplete(Conflict):
    """`details.missing`: numbers of parts that are not there, or not as long as they must be."""

    code = "upload.incomplete"
    message = "Parts of the file are missing."


class ChecksumMismatch(Invalid):
    """What is stored is not what the sender said it sends."""

    code = "upload.checksum"
    message = "What arrived is not what was announced. Send the parts again."


class NotAVideo(Invalid):
    """The file begins like none of the formats we take."""

    code = "upload.not_a_video"
    message = "This file is not a video in a format we know (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, 3GP)."


class UploadAborted(Conflict):
    code = "upload.aborted"
    message = "This upload was given up. Begin a new one."


class UploadIsStored(Conflict):
    code = "upload.stored"
    message = "This file is stored already."


class UploadLost(NotFound):
    """File storage knows neither the parts nor the file."""

    code = "upload.lost"
    message = "What was sent of this file is gone. Remove the upload and begin a new one."


class UploadIsAForm(Conflict):
    code = "upload.form"
    message = "This file is being sent as a form, in one piece: nobody can go on with it from elsewhere."


class RequestKeyReused(Conflict):
    code = "upload.key_reused"
    message = "This Idempotency-Key came with another request before."


class FormRefused(Invalid):
    """`details.fields` when it is about one of them."""

    code = "upload.form_invalid"
    message = "This is no form we understand: the fields first, then the file, last and once."


class UploadTooSlow(Invalid):
    code = "upload.too_slow"
    message = "The file arrived too slowly. Use the resumable way for a slow connection."


class UploadsBusy(Unavailable):
    code = "upload.busy"
    message = "Too many files are being sent at once. Try again in a moment."


# --- transcoding


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


class TranscodeStalled(FootlightError):
    code = "transcode.stalled"
    message = "The encoder stood still for too long."
    retryable = True


# --- programs that read a stranger's bytes


class ChildFailed(FootlightError):
    """A confined program ended with something other than success; `said` is the end of what it said."""

    code = "transcode.program_failed"
    message = "The program that makes videos failed."
    retryable = True

    def __init__(self, returncode: int, said: str) -> None:
        super().__init__(returncode=returncode)
        self.returncode = returncode
        self.said = said


class ChildStalled(FootlightError):
    """It said nothing for too long, or took longer than anything of its kind may: it hangs."""

    code = "transcode.program_stalled"
    message = "The program that makes videos stopped making progress."
    retryable = True


class ProbeFailed(FootlightError):
    code = "transcode.probe_failed"
    message = "The file could not be examined."
    retryable = True


class VideoNotFailed(Conflict):
    code = "video.not_failed"
    message = "There is nothing here that could be tried again."


class EncodeFailed(FootlightError):
    code = "transcode.encode_failed"
    message = "The video could not be encoded."
    retryable = True


# What ffmpeg says of a full disk, and of SIGXFSZ, which it catches.
NO_ROOM_SAID = ("No space left on device", "File too large")


def encoding_failed(failed: ChildFailed) -> FootlightError:
    """What ffmpeg's end means, by what it said: `ScratchFull` is our machine's doing, `EncodeFailed` is not."""
    if any(words in failed.said for words in NO_ROOM_SAID):
        return ScratchFull()
    return EncodeFailed(why=failed.said[-300:])


class FormatRefused(MediaRefused):
    code = "video.format"
    message = "This is not a video file in a format we know (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, 3GP)."


class Unreadable(MediaRefused):
    code = "video.unreadable"
    message = "This file is damaged: its video cannot be read."


class NoPicture(MediaRefused):
    code = "video.no_picture"
    message = "This file has no moving picture in it."


class TooLong(MediaRefused):
    code = "video.too_long"
    message = "This video is longer than one may be."


class PictureTooLarge(MediaRefused):
    code = "video.too_large_picture"
    message = "The picture of this video is too large. 3840 x 2160 is the most."


class SourceTooLarge(MediaRefused):
    code = "video.too_large_file"
    message = "This file is larger than our machines can make a video of. Export it smaller, or cut it into parts."


class TooManyStreams(MediaRefused):
    code = "video.too_many_streams"
    message = "This file holds too many tracks."


class Truncated(MediaRefused):
    code = "video.truncated"
    message = "The end of this file is missing. Export or upload it again."
