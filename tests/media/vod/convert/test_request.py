"""What we would ask of MediaConvert, against botocore's model of it: types, ranges, and words of enumerations."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from media.vod.convert.request import Place, create_job, request_token
from media.vod.ladder import plan
from media.vod.plan import AudioTrack, Probed, VideoTrack

PLACE = Place(bucket="media", source_key="uploads/v1/abcd/source", video_id="v1", build="abcdefabcdef", attempt=1)


def probed(*, width: int = 1920, height: int = 1080, fps: float = 29.97, sound: bool = True) -> Probed:
    video = VideoTrack(
        codec="vp9", profile="0", width=width, height=height, fps=fps, pixel_format="yuv420p", bitrate_bps=4_000_000
    )
    audio = AudioTrack(codec="opus", channels=2, sample_rate=48_000, bitrate_bps=96_000) if sound else None
    return Probed(container="webm", duration_seconds=600.0, size_bytes=1 << 20, video=video, audio=audio)


def request_of(source: Probed, place: Place = PLACE) -> dict[str, Any]:
    return create_job(place, source, plan(source, keep=False), role="arn:aws:iam::1:role/r", queue="vod")


def wrong(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Words that the model's enumerations lack, and numbers outside its ranges (botocore checks the least only)."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from wrong(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for member in value:
            yield from wrong(shape.member, member, path)
    elif shape.type_name == "map":
        for member in value.values():
            yield from wrong(shape.value, member, path)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}: {value}"
    elif "max" in shape.metadata and not isinstance(value, str) and value > shape.metadata["max"]:
        yield f"{path}: {value} is too much"


@pytest.mark.parametrize(
    "source",
    [probed(), probed(width=720, height=1280), probed(fps=60.0), probed(sound=False), probed(width=320, height=180)],
    ids=["full-hd", "upright", "fast", "silent", "small"],
)
def test_every_request_is_one_that_the_model_of_the_service_takes(source: Probed) -> None:
    model = botocore.session.get_session().get_service_model("mediaconvert")
    shape = model.operation_model("CreateJob").input_shape
    assert shape is not None
    request = request_of(source)
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    assert list(wrong(shape, request)) == []


def test_the_qualities_are_those_our_own_transcoders_make() -> None:
    source = probed()
    outputs = request_of(source)["Settings"]["OutputGroups"][0]["Outputs"]
    asked = [(o["VideoDescription"]["Width"], o["VideoDescription"]["Height"]) for o in outputs[:-1]]
    assert asked == [(each.width, each.height) for each in plan(source).renditions]
    assert [o["NameModifier"] for o in outputs] == ["-240p", "-360p", "-480p", "-720p", "-1080p", "-audio"]


def test_a_silent_source_asks_for_no_sound() -> None:
    settings = request_of(probed(sound=False))["Settings"]
    assert "AudioSelectors" not in settings["Inputs"][0]
    assert all("AudioDescriptions" not in output for output in settings["OutputGroups"][0]["Outputs"])


def test_a_build_is_asked_for_under_one_token_and_the_next_under_another() -> None:
    assert request_of(probed())["ClientRequestToken"] == request_of(probed())["ClientRequestToken"]
    others = [replace(PLACE, attempt=2), replace(PLACE, build="b" * 12), replace(PLACE, video_id="v2")]
    assert len({request_token(place) for place in [PLACE, *others]}) == 4


def test_files_go_into_the_folder_of_the_build_alone() -> None:
    for group in request_of(probed())["Settings"]["OutputGroups"]:
        _, settings = (group["OutputGroupSettings"].pop("Type"), group["OutputGroupSettings"])
        (kind,) = settings.values()
        assert kind["Destination"].startswith("s3://media/vod/v1/abcdefabcdef/job-1/")
