"""What the queue in front of the converter may bring: three kinds of hints, and everything else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.clock import new_id
from media.vod.convert.messages import hint, videos_in

VIDEO = new_id()


def stored(*keys: str) -> str:
    """As S3 tells of new objects."""
    records = [{"eventSource": "aws:s3", "s3": {"object": {"key": key, "size": 5}}} for key in keys]
    return json.dumps({"Records": records})


def changed(metadata: dict[str, str], status: str = "COMPLETE") -> str:
    """As EventBridge tells of jobs."""
    detail = {"jobId": "1-abc", "status": status, "userMetadata": metadata}
    return json.dumps({"source": "aws.mediaconvert", "detail-type": "MediaConvert Job State Change", "detail": detail})


@pytest.mark.parametrize("status", ["STATUS_UPDATE", "COMPLETE", "ERROR", "CANCELED", "NEW_WARNING", "what comes next"])
def test_every_change_of_a_job_is_about_its_video(status: str) -> None:
    assert videos_in(changed({"video_id": VIDEO, "build": "b", "attempt": "1"}, status)) == (VIDEO,)


def test_stored_sources_are_about_their_videos_and_other_files_about_none() -> None:
    other = new_id()
    keys = [
        f"uploads/{VIDEO}/abc/source",
        f"uploads%2F{other}%2Fabc%2Fsource",
        f"vod/{VIDEO}/b/index.m3u8",
        "uploads/../x",
    ]
    assert videos_in(stored(*keys, keys[0])) == (VIDEO, other)
    assert videos_in(hint(VIDEO)) == (VIDEO,)


@pytest.mark.parametrize(
    "body",
    ["", "no", "[]", "null", "{}", '{"Records": 5}', '{"Records": [5, {"s3": []}]}', '{"Event": "s3:TestEvent"}',
     '{"video_id": "../../etc"}', '{"source": "aws.mediaconvert", "detail": {"userMetadata": "x"}}'],
)  # fmt: skip
def test_what_means_nothing_to_us_is_about_no_video(body: str) -> None:
    assert videos_in(body) == ()


WORDS = ("Records", "s3", "object", "key", "detail", "source", "video_id", "userMetadata")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner),
)


@given(json_values)
def test_no_message_is_too_odd(said: Any) -> None:
    assert all(len(video_id) == 36 for video_id in videos_in(json.dumps(said)))
