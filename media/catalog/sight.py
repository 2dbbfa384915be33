"""Who may know of a video. Whether they may watch it is another question (`media/delivery/entitlement.py`)."""

from accounts.model import Identity
from media.catalog.errors import NotYourVideo, VideoNotFound
from media.catalog.model import Video


def is_owner(video: Video, who: Identity | None) -> bool:
    return who is not None and who.user_id == video.creator_id


def may_change(video: Video, who: Identity | None) -> bool:
    """Its owner, and admins."""
    return is_owner(video, who) or (who is not None and who.role == "admin")


def may_see(video: Video, who: Identity | None) -> bool:
    """All see what is public or premium, and what is unlisted if they have the link; nobody sees what is being deleted.

    What is private, or not playable yet, is for its owner and admins.
    """
    if video.status == "deleting":
        return False
    return may_change(video, who) or (video.is_playable and video.visibility != "private")


def require_sight(video: Video, who: Identity | None) -> Video:
    """The video; raises `VideoNotFound` for who may not know of it."""
    if not may_see(video, who):
        raise VideoNotFound
    return video


def require_rights(video: Video, who: Identity) -> Video:
    """The video; raises `VideoNotFound` or `NotYourVideo` for who may not change it."""
    require_sight(video, who)
    if not may_change(video, who):
        raise NotYourVideo(video_id=video.id)
    return video
