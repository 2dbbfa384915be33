"""What is asked of AWS MediaConvert for one build of a video: pure values, the same ladder as our own transcoders make.

Names of parameters are those of botocore's model, against which the tests check every request; no job was ever run by
the service itself (docs/decisions/012-mediaconvert.md).
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from media.vod.ladder import SEGMENT_SECONDS, rate_of
from media.vod.pictures import sheets_of
from media.vod.plan import AUDIO, Plan, PlannedAudio, PlannedRendition, Probed
from media.vod.playlists import AUDIO_GROUP

AUDIO_SELECTOR = "Audio Selector 1"
MIN_BUFFER_SECONDS = 1
POSTER_EDGE = 1280
LEAST_EDGE = 32  # of a picture
JPEG_QUALITY = 80
POSTER, STORYBOARD, STREAM = "poster", "storyboard", "index"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job reads and writes: `bucket`, the key of the source in it, and which try of which build it is."""

    bucket: str
    source_key: str
    video_id: str
    build: str
    attempt: int

    @property
    def source(self) -> str:
        return f"s3://{self.bucket}/{self.source_key}"

    @property
    def prefix(self) -> str:
        """What the service writes; its files go from here to where viewers find them."""
        return f"vod/{self.video_id}/{self.build}/job-{self.attempt}/"

    @property
    def folder(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


def create_job(place: Place, probed: Probed, plan: Plan, *, role: str, queue: str) -> dict[str, Any]:
    """The parameters of `CreateJob`. Sent twice for one try, MediaConvert makes one job (`ClientRequestToken`)."""
    return {
        "Role": role,
        "Queue": queue,
        "ClientRequestToken": request_token(place),
        "UserMetadata": {"video_id": place.video_id, "build": place.build, "attempt": str(place.attempt)},
        "StatusUpdateInterval": "SECONDS_10",
        "Settings": job_settings(place, probed, plan),
    }


def request_token(place: Place) -> str:
    """The same for the same try of a build, another for every other. The service remembers it for a minute."""
    return hashlib.sha256(f"{place.video_id}/{place.build}/{place.attempt}".encode()).hexdigest()[:32]


def job_settings(place: Place, probed: Probed, plan: Plan) -> dict[str, Any]:
    """Every quality of the plan encoded (MediaConvert keeps none as it is), the sound once, and pictures."""
    return {
        "Inputs": [_input(place.source, with_audio=plan.audio is not None)],
        "TimecodeConfig": {"Source": "ZEROBASED"},
        "OutputGroups": [
            _stream_group(place.folder, plan, rate_of(probed.video)),
            *_picture_groups(place.folder, probed, plan),
        ],
    }


def _input(source: str, *, with_audio: bool) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "FileInput": source,
        "TimecodeSource": "ZEROBASED",
        "VideoSelector": {"Rotate": "AUTO"},
    }
    if with_audio:
        asked["AudioSelectors"] = {AUDIO_SELECTOR: {"DefaultSelection": "DEFAULT"}}
    return asked


def _stream_group(folder: str, plan: Plan, rate: Fraction) -> dict[str, Any]:
    outputs = [_video_output(rendition, rate, with_audio=plan.audio is not None) for rendition in plan.renditions]
    if plan.audio is not None:
        outputs.append(_audio_output(plan.audio))
    return {
        "Name": "stream",
        "OutputGroupSettings": {
            "Type": "CMAF_GROUP_SETTINGS",
            "CmafGroupSettings": {
                "Destination": f"{folder}{STREAM}",
                "SegmentControl": "SEGMENTED_FILES",
                "SegmentLength": int(SEGMENT_SECONDS),
                "FragmentLength": int(SEGMENT_SECONDS),
                "WriteHlsManifest": "ENABLED",
                "WriteDashManifest": "DISABLED",
                "CodecSpecification": "RFC_4281",
                "StreamInfResolution": "INCLUDE",
            },
        },
        "Outputs": outputs,
    }


def _video_output(rendition: PlannedRendition, rate: Fraction, *, with_audio: bool) -> dict[str, Any]:
    cmfc = {"AudioRenditionSets": AUDIO_GROUP} if with_audio else {}
    return {
        "NameModifier": f"-{rendition.name}",
        "ContainerSettings": {"Container": "CMFC", "CmfcSettings": cmfc},
        "VideoDescription": {
            "Width": rendition.width,
            "Height": rendition.height,
            "ScalingBehavior": "STRETCH_TO_OUTPUT",  # the plan's sizes have the source's shape already
            "CodecSettings": {"Codec": "H_264", "H264Settings": _h264(rendition.bitrate_bps, rate)},
        },
    }


def _h264(bitrate_bps: int, rate: Fraction) -> dict[str, Any]:
    return {
        "CodecProfile": "HIGH",
        "RateControlMode": "QVBR",
        "MaxBitrate": bitrate_bps,
        "HrdBufferSize": bitrate_bps * MIN_BUFFER_SECONDS,
        "FramerateControl": "SPECIFIED",
        "FramerateNumerator": rate.numerator,
        "FramerateDenominator": rate.denominator,
        "ParControl": "SPECIFIED",
        "ParNumerator": 1,
        "ParDenominator": 1,
        "GopSizeUnits": "SECONDS",
        "GopSize": SEGMENT_SECONDS,
        "GopClosedCadence": 1,
        "SceneChangeDetect": "DISABLED",  # key frames at the cuts alone, the same in every quality
    }


def _audio_output(audio: PlannedAudio) -> dict[str, Any]:
    aac = {"Bitrate": audio.bitrate_bps, "CodingMode": "CODING_MODE_2_0", "SampleRate": 48_000}
    return {
        "NameModifier": f"-{AUDIO}",
        "ContainerSettings": {
            "Container": "CMFC",
            "CmfcSettings": {
                "AudioGroupId": AUDIO_GROUP,
                "AudioTrackType": "ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT",
            },
        },
        "AudioDescriptions": [
            {"AudioSourceName": AUDIO_SELECTOR, "CodecSettings": {"Codec": "AAC", "AacSettings": aac}}
        ],
    }


def _picture_groups(folder: str, probed: Probed, plan: Plan) -> list[dict[str, Any]]:
    """The poster, a tenth of the way in as the second of two pictures, and the tiles of the storyboard."""
    top, sheets = plan.renditions[-1], sheets_of(probed)
    factor = min(1.0, POSTER_EDGE / max(top.width, top.height))
    size = round(top.width * factor), round(top.height * factor)
    tenth_ms, apart_ms = round(plan.duration_seconds * 100), round(sheets.interval_seconds * 1000)
    return [
        _pictures(folder, POSTER, size, every_ms=max(1, tenth_ms), most=2),
        _pictures(folder, STORYBOARD, (sheets.width, sheets.height), every_ms=apart_ms, most=sheets.tiles),
    ]


def _pictures(folder: str, name: str, size: tuple[int, int], *, every_ms: int, most: int) -> dict[str, Any]:
    width, height = (max(LEAST_EDGE, edge // 2 * 2) for edge in size)
    capture = {
        "FramerateNumerator": 1000, "FramerateDenominator": every_ms, "MaxCaptures": most, "Quality": JPEG_QUALITY,
    }  # fmt: skip
    return {
        "Name": name,
        "OutputGroupSettings": {
            "Type": "FILE_GROUP_SETTINGS",
            "FileGroupSettings": {"Destination": f"{folder}{name}"},
        },
        "Outputs": [
            {
                "ContainerSettings": {"Container": "RAW"},
                "VideoDescription": {
                    "Width": width,
                    "Height": height,
                    "CodecSettings": {"Codec": "FRAME_CAPTURE", "FrameCaptureSettings": capture},
                },
            }
        ],
    }
