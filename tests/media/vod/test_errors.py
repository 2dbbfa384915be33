"""What the end of an encoder means is said in one place."""

import pytest

from media.vod.errors import ChildFailed, EncodeFailed, ScratchFull, encoding_failed


@pytest.mark.parametrize("said", ["av_interleaved_write_frame(): No space left on device", "out.mp4: File too large"])
def test_an_encoder_without_room_says_nothing_about_the_file(said: str) -> None:
    assert isinstance(encoding_failed(ChildFailed(1, said)), ScratchFull)


def test_what_an_encoder_said_last_is_kept() -> None:
    failed = encoding_failed(ChildFailed(1, "x" * 500 + "Invalid data found"))
    assert isinstance(failed, EncodeFailed)
    assert failed.details["why"].endswith("Invalid data found")
    assert len(failed.details["why"]) == 300
