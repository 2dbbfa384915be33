"""What is asked of AWS MediaConvert for one build of a video: pure values, the same ladder as our own transcoders make.

Names of parameters are those of botocore's model, against which the tests check every request; no job was ever run.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from media.vod.ladder import SEGMENT_SECONDS
from media.vod.plan import AUDIO, Plan, PlannedAudio, PlannedRendition
from media.vod.playlists import AUDIO_GROUP

AUDIO_SELECTOR = "Audio Selector 1"
MIN_BUFFER_SECONDS = 1
POSTER_EDGE = 1280
STORYBOARD_WIDTH = 160
STORYBOARD_IMAGES = 100
JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Place:
    """Where a build lies: `bucket`, and the key of the source in it."""

    bucket: str
    source_key: str
    video_id: str
    build: str

    @property
    def source(self) -> str:
        return f"s3://{self.bucket}/{self.source_key}"

    @property
    def folder(self) -> str:
        return f"s3://{self.bucket}/vod/{self.video_id}/{self.build}/"


def create_job(place: Place, plan: Plan, rate: Fraction, *, role: str, queue: str) -> dict[str, Any]:
    """The parameters of `CreateJob`. Sent twice for one build, MediaConvert makes one job (`ClientRequestToken`)."""
    return {
        "Role": role,
        "Queue": queue,
        "ClientRequestToken": request_token(place.video_id, place.build),
        "UserMetadata": {"video_id": place.video_id, "build": place.build},
        "StatusUpdateInterval": "SECONDS_10",
        "Settings": job_settings(place, plan, rate),
    }


def request_token(video_id: str, build: str) -> str:
    """The same for the same build, another for every build."""
    return hashlib.sha256(f"{video_id}/{build}".encode()).hexdigest()[:32]


def job_settings(place: Place, plan: Plan, rate: Fraction) -> dict[str, Any]:
    """Every quality of the plan encoded (MediaConvert keeps none as it is), the sound once, and pictures.

    `rate` is that of `ladder.rate_of`: exact, so that two seconds are the same frames in every quality.
    """
    return {
        "Inputs": [_input(place.source, with_audio=plan.audio is not None)],
        "TimecodeConfig": {"Source": "ZEROBASED"},
        "OutputGroups": [_stream_group(place.folder, plan, rate), *_picture_groups(place.folder, plan)],
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
                "Destination": f"{folder}index",
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


def _picture_groups(folder: str, plan: Plan) -> list[dict[str, Any]]:
    """The poster, a tenth of the way in as the second of two pictures, and the pictures of the storyboard."""
    top = plan.renditions[-1]
    tenth = max(1, round(plan.duration_seconds / 10))
    apart = max(1, round(plan.duration_seconds / STORYBOARD_IMAGES))
    return [
        _pictures(folder, "poster", top, long_edge=POSTER_EDGE, every_seconds=tenth, most=2),
        _pictures(
            folder, "storyboard", top, long_edge=STORYBOARD_WIDTH, every_seconds=apart, most=STORYBOARD_IMAGES + 1
        ),
    ]


def _pictures(
    folder: str, name: str, top: PlannedRendition, *, long_edge: int, every_seconds: int, most: int
) -> dict[str, Any]:
    factor = min(1.0, long_edge / max(top.width, top.height))
    capture = {
        "FramerateNumerator": 1, "FramerateDenominator": every_seconds, "MaxCaptures": most, "Quality": JPEG_QUALITY,
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
                    "Width": max(32, round(top.width * factor / 2) * 2),
                    "Height": max(32, round(top.height * factor / 2) * 2),
                    "CodecSettings": {"Codec": "FRAME_CAPTURE", "FrameCaptureSettings": capture},
                },
            }
        ],
    }
