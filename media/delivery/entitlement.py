"""Who may watch: the one decision about videos, live playback and live rooms. Pure."""

from dataclasses import dataclass
from typing import Self

from accounts.model import Identity
from infra.errors import FootlightError, Unauthenticated
from media.catalog.errors import VideoNotFound
from media.catalog.model import Video, Visibility
from media.errors import NotPlayableYet, PremiumOnly, StreamNotFound
from media.live.state import Stream


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands between a viewer and the picture. `missing`: what who may not even know of it is told."""

    owner_id: str
    visibility: Visibility
    is_there: bool
    missing: type[FootlightError]
    is_playable: bool = True

    @classmethod
    def of_video(cls, video: Video) -> Self:
        return cls(video.creator_id, video.visibility, video.status != "deleting", VideoNotFound, video.is_playable)

    @classmethod
    def of_stream(cls, stream: Stream) -> Self:
        """Whether there is a picture is the ingest's to say."""
        return cls(stream.creator_id, stream.visibility, True, StreamNotFound)


def require_watching(gate: Gate, viewer: Identity | None) -> None:
    """Return when `viewer` (None: nobody signed in) may watch now.

    Raises what `gate.missing` says for what is private or gone, `PremiumOnly` or, where signing in may help,
    `Unauthenticated`, and `NotPlayableYet`.
    """
    mine = viewer is not None and (viewer.user_id == gate.owner_id or viewer.role == "admin")
    if not gate.is_there or (gate.visibility == "private" and not mine):
        raise gate.missing
    if gate.visibility == "premium" and not mine:
        if viewer is None:
            raise Unauthenticated("Sign in with a subscription to watch this.")
        if not viewer.subscribes_to(gate.owner_id):
            raise PremiumOnly
    if not gate.is_playable:
        raise NotPlayableYet if mine else gate.missing


def is_open_to_all(gate: Gate) -> bool:
    """Whether a viewer's rights cannot end before the thing itself does."""
    return gate.visibility in ("public", "unlisted")
