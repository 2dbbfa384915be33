"""What a creator adds to a video: captions and a poster. Files come before the document that names them and go after
it; what a crash leaves over is a file that nobody names, which goes with the video."""

import asyncio
import secrets
from collections.abc import Callable, Sequence

from accounts.model import Identity
from infra.errors import Unavailable
from infra.logs import get_logger
from infra.stores.objects import Objects
from media.catalog.captions import clean_language, rewritten
from media.catalog.details import clean_label
from media.catalog.errors import CaptionsNotFound, TooManyCaptions, VideoNotFound
from media.catalog.model import Captions, Video
from media.catalog.posters import poster_of
from media.catalog.sight import require_rights
from media.catalog.videos import Catalogue

MOST_LANGUAGES = 50
DECODED_AT_ONCE = 2
REWRITTEN_AT_ONCE = 2
ATTEMPTS = 5  # somebody else may change the captions in between
# After these nothing names the new file. After anything else (a lost answer, a caller that went away) something may.
REFUSED = (VideoNotFound, TooManyCaptions)
FOREVER = "public, max-age=31536000, immutable"  # names are used once

log = get_logger(__name__)


class Attachments:
    """Every method raises `VideoNotFound`, `NotYourVideo`, and `Unavailable` when a store does not answer."""

    def __init__(self, catalogue: Catalogue, objects: Objects) -> None:
        self._catalogue = catalogue
        self._objects = objects
        self._decoding = asyncio.Semaphore(DECODED_AT_ONCE)
        self._rewriting = asyncio.Semaphore(REWRITTEN_AT_ONCE)

    async def put_captions(self, who: Identity, video_id: str, language: str, label: str, data: bytes) -> Video:
        """Add captions, or replace the language's. Raises `CaptionsInvalid`, `TextRefused`, `TooManyCaptions`."""
        require_rights(await self._catalogue.get(video_id), who)
        language, name = clean_language(language), clean_label(label)
        async with self._rewriting:
            text = await asyncio.to_thread(rewritten, data)
        key = f"vod/{video_id}/captions/{language}-{secrets.token_hex(6)}.vtt"
        await self._put(key, text, "text/vtt; charset=utf-8", FOREVER)
        new = Captions(language, name or language, f"/{key}")

        def added(known: Sequence[Captions]) -> list[Captions]:
            others = [captions for captions in known if captions.language != language]
            if len(others) >= MOST_LANGUAGES:
                raise TooManyCaptions(max=MOST_LANGUAGES)
            return sorted([*others, new], key=lambda captions: captions.language)

        try:
            return await self._change_captions(video_id, added)
        except REFUSED:
            await self._forget(key)
            raise

    async def remove_captions(self, who: Identity, video_id: str, language: str) -> Video:
        """Raises `CaptionsNotFound`."""
        require_rights(await self._catalogue.get(video_id), who)

        def removed(known: Sequence[Captions]) -> list[Captions]:
            left = [captions for captions in known if captions.language != language.lower()]
            if len(left) == len(known):
                raise CaptionsNotFound
            return left

        return await self._change_captions(video_id, removed)

    async def put_poster(self, who: Identity, video_id: str, data: bytes) -> Video:
        """Raises `PosterInvalid`."""
        before = require_rights(await self._catalogue.get(video_id), who)
        async with self._decoding:
            picture = await asyncio.to_thread(poster_of, data)
        key = f"posters/{video_id}/{secrets.token_hex(8)}.jpg"
        await self._put(key, picture, "image/jpeg", FOREVER)
        try:
            after = await self._catalogue.set_poster(video_id, f"/{key}")
        except REFUSED:
            await self._forget(key)
            raise
        for path in before.metadata.thumbnails[:1]:
            await self._forget(path.removeprefix("/"))
        return after

    async def _change_captions(self, video_id: str, change: Callable[[Sequence[Captions]], list[Captions]]) -> Video:
        for _ in range(ATTEMPTS):
            known = (await self._catalogue.get(video_id)).captions
            wanted = change(known)
            if (video := await self._catalogue.set_captions(video_id, known, wanted)) is not None:
                for gone in set(known) - set(wanted):
                    await self._forget(gone.path.removeprefix("/"))
                return video
        raise Unavailable

    async def _put(self, key: str, body: bytes, content_type: str, cache_control: str) -> None:
        await self._objects.call("put_object", Key=key, Body=body, ContentType=content_type, CacheControl=cache_control)

    async def _forget(self, key: str) -> None:
        """Remove a file nobody names; one that cannot be reached just now stays, unnamed."""
        try:
            await self._objects.call("delete_object", Key=key)
        except Unavailable as away:
            log.info("attachment.left_over", key=key, code=away.code)
