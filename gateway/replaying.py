"""The chat of recordings, for those who may watch them."""

from accounts.model import Identity
from infra.stores.mongo import Mongo
from media.catalog.model import Video
from media.catalog.videos import Catalogue
from media.delivery.entitlement import Gate, require_watching
from realtime.archive.reader import PublicArchive
from realtime.archive.replay import Replay


def open_replay(mongo: Mongo, catalogue: Catalogue) -> Replay:
    """Who may watch is asked anew for every page."""

    async def watched(video_id: str, who: Identity | None) -> Video:
        video = await catalogue.get(video_id)
        require_watching(Gate.of_video(video), who)
        return video

    return Replay(PublicArchive(mongo), watched)
