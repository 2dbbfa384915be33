"""Who is let in at the edge, by the cookies of a request."""

import pytest

from media.delivery import doorkeeper as doors
from media.delivery.doorkeeper import Doorkeeper
from media.errors import MediaDenied
from tests.media.delivery.passes import EDGE_URL, KEY_ID, cookie_header, doorkeeper, key, signer

OPENED = signer().for_video("v1")
HEADER = cookie_header(OPENED)
INSIDE = "/vod/v1/abcdefghijkl/480p.m3u8"


def refuses(door: Doorkeeper, path: str, *headers: str) -> bool:
    try:
        door.admit(path, list(headers))
    except MediaDenied:
        return True
    return False


def test_cookies_open_their_folder_and_no_other() -> None:
    door = doorkeeper(lambda: 0.0)  # long before they end, whenever the test comes
    assert not refuses(door, INSIDE, HEADER)
    assert not refuses(door, INSIDE, *HEADER.split("; ")), "HTTP/2 may send each apart"
    assert not refuses(door, INSIDE, "session=x; " + HEADER + "; theme=dark")
    for path in ("/vod/v2/abcdefghijkl/480p.m3u8", "/live/v1/index.m3u8", "/vod/v1", "/vod/v10/x", "/posters/v1/x.jpg"):
        assert refuses(door, path, HEADER), path


def test_nothing_or_half_is_refused() -> None:
    door = doorkeeper(lambda: 0.0)  # long before they end, whenever the test comes
    assert refuses(door, INSIDE)
    assert refuses(door, INSIDE, "")
    for missing in range(3):
        assert refuses(door, INSIDE, "; ".join(c for n, c in enumerate(HEADER.split("; ")) if n != missing))


def test_what_is_remembered_ends_when_the_policy_does() -> None:
    ends, now = OPENED.expires_at.timestamp(), [0.0]
    door = doorkeeper(lambda: now[0])
    now[0] = int(ends) - 0.1
    assert not refuses(door, INSIDE, HEADER)
    now[0] = int(ends)
    assert refuses(door, INSIDE, HEADER)


def test_what_is_remembered_is_no_help_to_others() -> None:
    door = doorkeeper(lambda: 0.0)  # long before they end, whenever the test comes
    assert not refuses(door, INSIDE, HEADER)
    for other in (HEADER[:-1], HEADER.replace("Policy=", "Policy=A", 1), HEADER.replace(KEY_ID, KEY_ID + "x")):
        assert refuses(door, INSIDE, other)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "MAX_REMEMBERED", 3)
    door = Doorkeeper({KEY_ID: key().public_key()}, EDGE_URL, lambda: 0.0)
    for number in range(6):
        assert not refuses(door, f"/vod/{number}/x", cookie_header(signer().for_video(str(number))))
    assert len(door._remembered) == 3  # memory shows nowhere else
