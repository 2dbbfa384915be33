"""From the job's folder to where viewers find it, under the names, types and lifetimes of our own transcoders.

S3 copies within itself, so no byte of picture or sound comes through here; only playlists and small captures are read.
What was moved before stays, so a collector that was killed is followed by another.
"""

import asyncio
import io
from collections.abc import Sequence
from pathlib import PurePosixPath

from PIL import Image

from infra.logs import get_logger
from infra.stores.objects import NoSuchObject, Objects
from media.vod.convert.outputs import Move, moves_of, pictures_of, playlists_of, read_playlist
from media.vod.convert.request import POSTER, STORYBOARD, STREAM, Place
from media.vod.errors import LeaseLost, TranscodeIncomplete
from media.vod.leases import Leases
from media.vod.pictures import COLUMNS, ROWS, Sheets, cues_of, sheets_of
from media.vod.publish import FOR_GOOD, TYPES
from media.vod.publish import STORYBOARD as STORYBOARD_LIST
from media.vod.task_repository import Lease
from media.vod.transcodes import build_folder, poster_key

COPIES_AT_ONCE = 8  # as many as the object store has threads
BATCH = 64  # segments copied between two renewals of the lease
SHEET_TILES = COLUMNS * ROWS
SHEET_QUALITY = 80

log = get_logger(__name__)


class Collector:
    """Raises `TranscodeIncomplete`, `LeaseLost`, `ObjectsUnavailable`."""

    def __init__(self, objects: Objects, leases: Leases) -> None:
        self._objects = objects
        self._leases = leases

    async def collect(self, lease: Lease, place: Place) -> None:
        """Everything that the job made; what is left of its folder is deleted later."""
        sizes = await self._sizes(place.prefix)
        await self._streams(lease, place, sizes)
        await self._pictures(lease, place, list(sizes))
        await self._leases.leave(place.prefix)

    async def _sizes(self, prefix: str) -> dict[str, int]:
        found: dict[str, int] = {}
        token: dict[str, str] = {}
        while True:
            page = await self._objects.call("list_objects_v2", Prefix=prefix, **token)
            found |= {item["Key"].removeprefix(prefix): item["Size"] for item in page.get("Contents", [])}
            if not page.get("IsTruncated"):
                return found
            token = {"ContinuationToken": page["NextContinuationToken"]}

    # --- segments

    async def _streams(self, lease: Lease, place: Place, sizes: dict[str, int]) -> None:
        if lease.plan is None:
            raise LeaseLost
        known = await self._leases.known_numbers(lease)
        for rendition in playlists_of(lease.plan):
            listed = read_playlist(await self._text(f"{place.prefix}{STREAM}-{rendition}.m3u8"))
            moves = [
                move
                for move in moves_of(rendition, listed, sizes)
                if move.segment is None or (rendition, move.segment.number) not in known
            ]
            for first in range(0, len(moves), BATCH):
                await self._move(lease, place, moves[first : first + BATCH])

    async def _move(self, lease: Lease, place: Place, moves: Sequence[Move]) -> None:
        into = build_folder(lease.video_id, lease.build)
        await self._leases.renew(lease, 1.0)
        for first in range(0, len(moves), COPIES_AT_ONCE):
            some = moves[first : first + COPIES_AT_ONCE]
            await asyncio.gather(*(self._copy(place.prefix + move.name, into + move.to) for move in some))
        await self._leases.add_segments(lease, [move.segment for move in moves if move.segment is not None])

    async def _copy(self, key: str, to: str) -> None:
        await self._objects.call(
            "copy_object", Key=to, CopySource={"Bucket": self._objects.bucket, "Key": key}, MetadataDirective="REPLACE",
            ContentType=TYPES[PurePosixPath(to).suffix], CacheControl=FOR_GOOD,
        )  # fmt: skip

    async def _text(self, key: str) -> str:
        try:
            return (await self._objects.read(key)).decode("utf-8", "replace")
        except NoSuchObject as missing:
            raise TranscodeIncomplete(missing=[key.rpartition("/")[2]]) from missing

    # --- pictures

    async def _pictures(self, lease: Lease, place: Place, names: Sequence[str]) -> None:
        if lease.probed is None or lease.plan is None:
            raise LeaseLost
        posters, tiles = pictures_of(names, POSTER), pictures_of(names, STORYBOARD)
        if not posters or not tiles:
            raise TranscodeIncomplete(missing=[POSTER if not posters else STORYBOARD])
        await self._copy(place.prefix + posters[-1], poster_key(lease.video_id, lease.poster))
        sheets, into = sheets_of(lease.probed), build_folder(lease.video_id, lease.build)
        for number in range(sheets.count):
            await self._leases.renew(lease, 1.0)
            some = tiles[number * SHEET_TILES : (number + 1) * SHEET_TILES]
            images = [await self._objects.read(place.prefix + name) for name in some]
            body = await asyncio.to_thread(sheet_of, images, sheets, number)
            await self._put(f"{into}storyboard-{number}.jpg", body)
        await self._put(into + STORYBOARD_LIST, cues_of(sheets, lease.plan.duration_seconds).encode())
        await self._leases.set_pictures(lease, poster=True, storyboard=True)

    async def _put(self, key: str, body: bytes) -> None:
        kind = TYPES[PurePosixPath(key).suffix]
        await self._objects.call("put_object", Key=key, Body=body, ContentType=kind, CacheControl=FOR_GOOD)


def sheet_of(images: Sequence[bytes], sheets: Sheets, number: int) -> bytes:
    """JPEG of one sheet: tiles from left to right, row by row. A capture that is missing at the end stays black."""
    tiles = min(SHEET_TILES, sheets.tiles - number * SHEET_TILES)
    rows = ROWS if sheets.tiles > SHEET_TILES else -(-tiles // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * sheets.width, rows * sheets.height))
    for place, image in enumerate(images):
        row, column = divmod(place, COLUMNS)
        with Image.open(io.BytesIO(image), formats=("JPEG",)) as tile:
            shown = tile.convert("RGB").resize((sheets.width, sheets.height))
        sheet.paste(shown, (column * sheets.width, row * sheets.height))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=SHEET_QUALITY)
    return out.getvalue()
