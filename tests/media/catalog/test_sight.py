"""Who may know of a video: every visibility, state and person."""

import pytest
from msgspec.structs import replace

from accounts.model import Identity
from media.catalog.model import Video, VideoStatus, Visibility
from media.catalog.sight import may_see
from tests.media.catalog.conftest import START, person, video_of

OWNER, OTHER, ADMIN = person(), person("premium"), person("admin")
READY = replace(video_of(OWNER, START), status="ready", build="abcdefghijkl", published_at=START)
ALL: dict[str, Identity | None] = {"owner": OWNER, "other": OTHER, "admin": ADMIN, "nobody": None}


def who_sees(video: Video) -> set[str]:
    return {name for name, who in ALL.items() if may_see(video, who)}


@pytest.mark.parametrize("visibility", ["public", "unlisted", "premium"])
def test_everybody_sees_what_can_be_played_and_is_not_private(visibility: Visibility) -> None:
    assert who_sees(replace(READY, visibility=visibility)) == set(ALL)
    assert who_sees(replace(READY, visibility=visibility, status="processing")) == set(ALL)


def test_what_is_private_is_for_its_owner_and_admins() -> None:
    assert who_sees(replace(READY, visibility="private")) == {"owner", "admin"}


@pytest.mark.parametrize("status", ["uploading", "processing", "failed"])
def test_what_cannot_be_played_yet_is_for_its_owner_and_admins(status: VideoStatus) -> None:
    assert who_sees(replace(READY, status=status, build=None)) == {"owner", "admin"}


def test_nobody_sees_what_is_being_deleted() -> None:
    assert who_sees(replace(READY, status="deleting")) == set()
