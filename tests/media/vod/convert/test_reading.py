"""What the service says, in our terms: probes, playlists, error codes."""

from typing import Any

import pytest

from infra.errors import FootlightError
from media.vod.convert.faults import fault_of
from media.vod.convert.outputs import moves_of, pictures_of, read_playlist
from media.vod.convert.probing import probed_of
from media.vod.errors import NoPicture, PictureTooLarge, TooLong, TooManyStreams, TranscodeIncomplete, Unreadable

WHOLE = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:3
#EXT-X-MAP:URI="index-480pinit.cmfv"
#EXTINF:2.002,
index-480p_000000001.cmfv
#EXTINF:1,
index-480p_000000002.cmfv
#EXT-X-ENDLIST
"""
SIZES = {"index-480pinit.cmfv": 800, "index-480p_000000001.cmfv": 5000, "index-480p_000000002.cmfv": 3000}


def picture(**more: Any) -> dict[str, Any]:
    about = {"Width": 1920, "Height": 1080, "FrameRate": {"Numerator": 30000, "Denominator": 1001}, **more}
    return {"TrackType": "video", "Codec": "AVC", "VideoProperties": about}


def found(*tracks: dict[str, Any], duration: float = 60.0) -> list[dict[str, Any]]:
    return [{"Container": {"Format": "mp4", "Duration": duration, "Tracks": list(tracks)}}]


def test_a_playlist_says_which_file_is_which_segment() -> None:
    moves = list(moves_of("480p", read_playlist(WHOLE), SIZES))
    assert [(move.name, move.to) for move in moves] == [
        ("index-480pinit.cmfv", "480p/init.mp4"),
        ("index-480p_000000001.cmfv", "480p/0.m4s"),
        ("index-480p_000000002.cmfv", "480p/1.m4s"),
    ]
    segments = [move.segment for move in moves if move.segment]
    assert [(one.number, one.duration_seconds, one.size_bytes) for one in segments] == [
        (0, 2.002, 5000),
        (1, 1.0, 3000),
    ]


@pytest.mark.parametrize(
    "text",
    ["", WHOLE.replace("#EXT-X-ENDLIST", ""), WHOLE.replace("_000000001", "/../../secret"),
     WHOLE.replace("index-480pinit.cmfv", "https://elsewhere/init"), WHOLE.replace("#EXTINF:1,\n", ""),
     WHOLE.replace("#EXTINF:1,", "#EXT-X-BYTERANGE:5\n#EXTINF:1,")],
)  # fmt: skip
def test_a_playlist_that_is_not_what_was_asked_for_is_refused(text: str) -> None:
    with pytest.raises(TranscodeIncomplete):
        read_playlist(text)


def test_a_segment_that_is_not_there_or_empty_is_missing() -> None:
    for sizes in ({**SIZES, "index-480p_000000002.cmfv": 0}, {"index-480pinit.cmfv": 1}):
        with pytest.raises(TranscodeIncomplete):
            list(moves_of("480p", read_playlist(WHOLE), sizes))


def test_captures_come_in_their_order() -> None:
    names = ["poster.0000001.jpg", "storyboard.0000000.jpg", "poster.0000000.jpg", "index.m3u8"]
    assert pictures_of(names, "poster") == ["poster.0000000.jpg", "poster.0000001.jpg"]


def test_a_probe_is_the_picture_as_it_is_shown() -> None:
    track = picture(Rotation=90, SampleAspectRatio={"Numerator": 4, "Denominator": 3})
    sound = {"TrackType": "audio", "Codec": "OPUS", "AudioProperties": {"Channels": 6, "SampleRate": 44100}}
    probed = probed_of(found(track, sound), size_bytes=9, max_seconds=100)
    assert (probed.video.width, probed.video.height, round(probed.video.fps, 2)) == (1080, 2560, 29.97)
    assert probed.audio is not None
    assert (probed.audio.codec, probed.audio.channels, probed.duration_seconds) == ("opus", 6, 60.0)


@pytest.mark.parametrize(
    ("results", "refusal"),
    [
        ([], NoPicture),
        (found(), NoPicture),
        (found({"TrackType": "audio", "AudioProperties": {}}), NoPicture),
        (found(picture(Width=0)), Unreadable),
        (found(picture(), duration=0), Unreadable),
        (found(picture(), duration=1e9), TooLong),
        (found(picture(Width=30_000, Height=30_000)), PictureTooLarge),
        (found(*[picture()] * 1000), TooManyStreams),
    ],
)
def test_what_may_not_become_a_video_is_refused_by_name(results: Any, refusal: type[FootlightError]) -> None:
    with pytest.raises(refusal):
        probed_of(results, size_bytes=9, max_seconds=3600)


@pytest.mark.parametrize(
    ("code", "ours"),
    [(1404, "transcode.source_gone"), (1030, "video.no_picture"), (1076, "video.unreadable"),
     (9999, "service.mediaconvert_fault"), (4711, "transcode.encode_failed")],
)  # fmt: skip
def test_codes_of_the_service_have_words_of_ours(code: int, ours: str) -> None:
    assert fault_of(code, "why").code == ours
