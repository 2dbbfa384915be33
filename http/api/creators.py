"""A creator's page under `/creators/{id}`: who they are, whether they are live, how many videos they have."""

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.auth import NO_STORE
from api.errors import problems
from api.streams import LiveStream, Viewers, watched
from media.catalog.library import Library
from media.errors import StreamNotFound
from media.live.streams import Streams
from realtime.moderation.channels import Channels
from realtime.moderation.errors import ChannelNotFound


class Creator(msgspec.Struct, frozen=True, kw_only=True):
    """`live` is their stream of this moment, `videos` how many of theirs everybody finds."""

    id: str
    display_name: str
    followers: int
    live: LiveStream | None
    videos: int


class CreatorController(Controller):
    path = "/creators/{creator_id:str}"
    tags = ("Videos",)
    response_headers = NO_STORE

    @get("/", operation_id="getCreator", summary="A creator", responses=problems(ChannelNotFound))
    async def one(
        self,
        creator_id: FromPath[str],
        channels: NamedDependency[Channels],
        streams: NamedDependency[Streams],
        viewers: Viewers,
        library: NamedDependency[Library],
    ) -> Creator:
        channel = (await channels.view(creator_id, None)).channel
        return Creator(
            id=channel.id,
            display_name=channel.display_name,
            followers=channel.followers,
            live=await on_air(channel.live_stream_id, streams, viewers),
            videos=await library.catalogue.count_listed(channel.id),
        )


async def on_air(stream_id: str | None, streams: Streams, viewers: Viewers) -> LiveStream | None:
    """The stream with its viewers."""
    if stream_id is None:
        return None
    try:
        return await watched(await streams.get(stream_id), viewers)
    except StreamNotFound:
        return None
