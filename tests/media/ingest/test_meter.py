"""What the creator is told about the encoder, in words."""

from datetime import UTC, datetime

from media.ingest.flv import Kind, Look
from media.ingest.meter import Meter
from media.ports import Health

AT = datetime(2026, 1, 1, tzinfo=UTC)


def fed(
    *, seconds: int = 12, keyframe_seconds: float = 2, video: str = "h264", audio: str = "aac", size: int = 10_000,
    speed: float = 1.0,
) -> Health:  # fmt: skip
    """The health after some seconds of 25 frames each; `speed` is media time over real time."""
    meter = Meter(0.0)
    for frame in range(seconds * 25):
        now, at = frame / 25, int(frame * 40 * speed)
        is_key = frame % int(keyframe_seconds * 25) == 0
        meter.saw(Kind.VIDEO, Look(video, keyframe=is_key), at, size, now)
        if audio:
            meter.saw(Kind.AUDIO, Look(audio), at, 200, now)
    return meter.health(float(seconds), AT, playable=True)


def codes(health: Health) -> list[str]:
    return [warning.code for warning in health.warnings]


def test_a_good_encoder_is_left_alone() -> None:
    health = fed()
    assert health.warnings == []
    assert health.fps == 25.0
    assert health.keyframe_interval_seconds == 2.0
    assert 2000 < health.bitrate_kbps < 2100


def test_sparse_keyframes_are_named_with_what_to_do() -> None:
    (warning,) = fed(seconds=20, keyframe_seconds=8).warnings
    assert warning.code == "keyframes.sparse"
    assert warning.message == "Keyframes every 8 s: set the keyframe interval to 2 s in OBS."


def test_one_keyframe_and_no_other_is_sparse_too() -> None:
    assert codes(fed(keyframe_seconds=100)) == ["keyframes.sparse"]


def test_other_faults_have_their_codes() -> None:
    assert codes(fed(video="hevc")) == ["codec.unsupported"]
    assert codes(fed(audio="mp3")) == ["codec.unsupported"]
    assert codes(fed(audio="")) == ["audio.missing"]
    assert codes(fed(size=70_000)) == ["bitrate.high"]
    assert codes(fed(speed=0.6)) == ["drift"]
    assert codes(fed(speed=1.8)) == ["keyframes.sparse", "drift"]


def test_sound_without_a_picture_is_named() -> None:
    meter = Meter(0.0)
    meter.saw(Kind.AUDIO, Look("aac"), 0, 200, 5.5)
    assert codes(meter.health(6.0, AT, playable=False)) == ["video.missing"]


def test_what_the_encoder_claims_is_believed_only_when_it_can_be() -> None:
    meter = Meter(0.0)
    meter.told({"width": 1920.0, "height": float("nan")})
    health = meter.health(1.0, AT, playable=False)
    assert (health.width, health.height) == (1920, 0)
    meter.told({"width": "wide", "height": float("inf")})
    assert meter.width == 0
