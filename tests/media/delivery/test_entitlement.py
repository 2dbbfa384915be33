"""Who may watch: every combination there is."""

from datetime import timedelta
from itertools import product
from typing import get_args

import pytest

from accounts.model import Identity, Role
from infra.clock import system_clock
from infra.errors import FootlightError, Unauthenticated
from media.catalog.errors import VideoNotFound
from media.catalog.model import Visibility
from media.delivery.entitlement import Gate, is_open_to_all, require_watching
from media.errors import NotPlayableYet, PremiumOnly, StreamNotFound

OWNER = "the owner"


def viewer(
    role: str = "free", tier: str = "free", user_id: str = "somebody", channels: dict[str, int] | None = None
) -> Identity:
    return Identity(
        user_id=user_id,
        display_name="Somebody",
        role=role,  # type: ignore[arg-type]  # tests pass one of the four
        subscription_tier=tier,  # type: ignore[arg-type]  # and one of the two
        session_id="s",
        expires_at=system_clock() + timedelta(hours=1),
        channels=channels or {},
    )


VIEWERS: dict[str, Identity | None] = {
    "anonymous": None,
    "free": viewer(),
    "other creator": viewer("creator"),
    "premium": viewer(tier="premium"),
    "subscriber of the channel": viewer(channels={OWNER: 1}),
    "subscriber of another": viewer(channels={"another creator": 3}),
    "owner": viewer("creator", user_id=OWNER),
    "admin": viewer("admin"),
}
MINE = ("owner", "admin")
# What each is told of something that can be played; whoever is not named may watch.
REFUSED: dict[str, dict[str, type[FootlightError]]] = {
    "public": {},
    "unlisted": {},
    "premium": {
        "anonymous": Unauthenticated,
        **dict.fromkeys(("free", "other creator", "subscriber of another"), PremiumOnly),
    },
    "private": dict.fromkeys(VIEWERS.keys() - {"owner", "admin"}, VideoNotFound),
}


def told(gate: Gate, who: Identity | None) -> type[FootlightError] | None:
    try:
        require_watching(gate, who)
    except FootlightError as refused:
        return type(refused)
    return None


def expected(visibility: str, name: str, *, playable: bool, there: bool) -> type[FootlightError] | None:
    if not there:
        return VideoNotFound
    refused = REFUSED[visibility].get(name)
    if refused or playable:
        return refused
    return NotPlayableYet if name in MINE else VideoNotFound


def test_the_table_is_whole() -> None:
    assert set(REFUSED) == set(get_args(Visibility))
    assert {who.role for who in VIEWERS.values() if who} == {"free", "creator", "admin"} <= set(get_args(Role))


@pytest.mark.parametrize("visibility", REFUSED)
@pytest.mark.parametrize("name", VIEWERS)
def test_every_viewer_before_every_gate(visibility: Visibility, name: str) -> None:
    for playable, there in product((True, False), repeat=2):
        gate = Gate(OWNER, visibility, there, VideoNotFound, playable)
        assert told(gate, VIEWERS[name]) == expected(visibility, name, playable=playable, there=there), (
            playable,
            there,
        )


def test_what_is_missing_is_said_in_the_words_of_the_thing() -> None:
    assert told(Gate(OWNER, "private", True, StreamNotFound), None) is StreamNotFound


def test_only_what_needs_no_right_is_open_to_all() -> None:
    gates = {name: Gate(OWNER, name, True, VideoNotFound) for name in get_args(Visibility)}
    assert {name for name, gate in gates.items() if is_open_to_all(gate)} == {"public", "unlisted"}
    for gate in gates.values():
        assert is_open_to_all(gate) == (told(gate, None) is None)
