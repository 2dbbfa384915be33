"""What happens to channels, told to the rest of the platform after it was committed."""

from typing import ClassVar

from infra.events import Event


class ChannelModerated(Event, frozen=True, kw_only=True):
    """The channel's log has this revision now; `stream_ids` are the rooms that have to take it in."""

    topic: ClassVar[str] = "channel.moderated"
    channel_id: str
    revision: int
    stream_ids: list[str]


class ChannelFollowed(Event, frozen=True, kw_only=True):
    topic: ClassVar[str] = "channel.followed"
    channel_id: str
    user_id: str
    user_name: str


class ChannelUnfollowed(Event, frozen=True, kw_only=True):
    topic: ClassVar[str] = "channel.unfollowed"
    channel_id: str
    user_id: str
