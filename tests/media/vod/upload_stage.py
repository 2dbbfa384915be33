"""What upload tests stand on: the service on real stores, a creator, files that begin like videos, and a browser."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

from accounts.model import Identity, Role
from infra.clock import new_id
from infra.events import Event
from infra.outbox import Outbox
from infra.settings import MongoSettings, ObjectSettings, VodSettings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.objects import NoSuchObject, Objects, open_objects
from infra.stores.postgres import Connection, Postgres
from media.catalog.videos import Catalogue
from media.vod.parts import part_length
from media.vod.ports import Source
from media.vod.transcodes import Transcodes
from media.vod.upload_model import NewUpload, Opened, SignedPart, Upload
from media.vod.upload_storage import FOLDER, UploadStorage
from media.vod.upload_sweeper import UploadSweeper
from media.vod.uploads import Uploads

MIB = 1 << 20
FTYP = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
ORIGIN = "https://footlight.test"


class Clock:
    """The real time, moved by `offset`: URLs are signed with the real one."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


class Requested(Transcodes):
    """Our own transcoding, which remembers what it was asked."""

    def __init__(self, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        super().__init__(outbox, clock)
        self.sources: list[Source] = []

    async def request(self, connection: Connection, source: Source) -> None:
        self.sources.append(source)
        await super().request(connection, source)


def video_file(size_bytes: int, seed: int = 1) -> bytes:
    """Bytes that begin like an MP4, and differ everywhere."""
    block = hashlib.sha256(str(seed).encode()).digest() * 1024
    body = FTYP + block * (size_bytes // len(block) + 1)
    marks = b"".join(number.to_bytes(8, "big") for number in range(64))
    return (body[: size_bytes - len(marks)] + marks) if size_bytes > 1024 else body[:size_bytes]


def wanted(file: bytes | int = 0, **more: Any) -> NewUpload:
    size_bytes = file if isinstance(file, int) else len(file)
    return NewUpload(**{"title": "Waves", "file_name": "waves.mp4", "size_bytes": size_bytes, **more})


async def stream(file: bytes, chunk_bytes: int = 64 * 1024) -> AsyncIterator[bytes]:
    for at in range(0, len(file), chunk_bytes):
        yield file[at : at + chunk_bytes]


class UploadStage:
    """Real stores; `uploads` may be replaced by another process's."""

    def __init__(self, db: Postgres, mongo: Mongo, objects: Objects, settings: VodSettings) -> None:
        self.db = db
        self.mongo = mongo
        self.objects = objects
        self.settings = settings
        self.clock = Clock()
        self.outbox = Outbox()
        self.nudged = 0
        self.events: list[Event] = []
        self.transcoding = Requested(self.outbox, self.clock)
        self.catalogue = Catalogue(mongo, self._publish, self.clock)
        self.storage = UploadStorage(objects)
        self.uploads = self.process()

    async def _publish(self, event: Event) -> None:
        self.events.append(event)

    def process(self, settings: VodSettings | None = None, storage: UploadStorage | None = None) -> Uploads:
        """The service as another process has it."""
        return Uploads(
            db=self.db,
            storage=storage or self.storage,
            catalogue=self.catalogue,
            transcoding=self.transcoding,
            settings=settings or self.settings,
            clock=self.clock,
            new_id=new_id,
            nudge=self._nudge,
        )

    def sweeper(self) -> UploadSweeper:
        return UploadSweeper(self.db, self.storage, self.uploads.ends, [ORIGIN], self.clock)

    def minutes_pass(self, minutes: float) -> None:
        self.clock.offset += timedelta(minutes=minutes)

    def _nudge(self) -> None:
        self.nudged += 1

    async def person(self, role: Role = "creator") -> Identity:
        """Somebody with an account."""
        user_id, now = new_id(), self.clock()
        async with self.db.connection() as connection:
            await connection.execute(
                "INSERT INTO users (id, email, display_name, password_hash, role, created_at, updated_at) "
                "VALUES ($1, $2, 'Mara', '', $3, $4, $4)",
                user_id, f"{user_id}@example.com", role, now,
            )  # fmt: skip
        return Identity(
            user_id=user_id, display_name="Mara", role=role, subscription_tier="free", session_id=new_id(),
            expires_at=now + timedelta(days=1),
        )  # fmt: skip

    async def begun(self, who: Identity, file: bytes) -> Opened:
        return await self.uploads.open(who, wanted(file))

    async def sent(self, who: Identity, opened: Opened, file: bytes, numbers: Iterable[int] | None = None) -> None:
        """Sign and send parts in this order, as a browser does."""
        order = list(numbers) if numbers is not None else list(range(1, opened.upload.upload.parts + 1))
        signed = await self.uploads.sign(who, opened.video.id, sums_of(opened.upload.upload, file, order))
        urls = {one.number: one for one in signed.urls}
        async with httpx.AsyncClient() as browser:
            for number in order:
                answer = await put(browser, urls[number], part_of(opened.upload.upload, file, number))
                assert answer.status_code == 200, answer.text

    async def stored(self, who: Identity, file: bytes) -> Opened:
        """Opened, sent and complete."""
        opened = await self.begun(who, file)
        await self.sent(who, opened, file)
        await self.uploads.complete(who, opened.video.id)
        return opened

    # --- what is true

    async def row(self, video_id: str) -> dict[str, Any] | None:
        async with self.db.connection() as connection:
            row = await connection.fetchrow("SELECT * FROM uploads WHERE video_id = $1", video_id)
        return dict(row) if row else None

    async def state_of(self, video_id: str) -> tuple[str, bool] | None:
        row = await self.row(video_id)
        return (row["state"], row["settled"]) if row else None

    async def transcodes(self) -> int:
        """Rows of work, whoever asked how often."""
        async with self.db.connection() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM transcodes"))

    async def status_of(self, video_id: str) -> str | None:
        async with self.mongo.collection("videos") as videos:
            found = await videos.find_one({"_id": video_id})
        return str(found["status"]) if found else None

    async def files(self) -> list[str]:
        found = await self.objects.call("list_objects_v2", Prefix=FOLDER)
        return [one["Key"] for one in found.get("Contents", ())]

    async def parts_lying_about(self) -> int:
        """Multipart uploads that are neither closed nor aborted."""
        return len((await self.objects.call("list_multipart_uploads", Prefix=FOLDER)).get("Uploads", ()))

    async def content(self, key: str) -> bytes:
        return await self.objects.read(key)

    async def emptied(self) -> Self:
        for key in await self.files():
            await self.objects.call("delete_object", Key=key)
        for one in (await self.objects.call("list_multipart_uploads")).get("Uploads", ()):
            try:
                await self.objects.call("abort_multipart_upload", Key=one["Key"], UploadId=one["UploadId"])
            except NoSuchObject:
                continue
        async with self.mongo.collection("videos") as videos:
            await videos.delete_many({})
        return self


def sums_of(upload: Upload, file: bytes, numbers: Sequence[int]) -> dict[int, bytes]:
    return {number: hashlib.sha256(part_of(upload, file, number)).digest() for number in numbers}


def part_of(upload: Upload, file: bytes, number: int) -> bytes:
    start = (number - 1) * upload.part_bytes
    return file[start : start + part_length(number, upload.size_bytes, upload.part_bytes)]


async def put(browser: httpx.AsyncClient, to: SignedPart, content: bytes) -> httpx.Response:
    return await browser.put(to.url, content=content, headers=to.headers)


@asynccontextmanager
async def open_stage(
    db: Postgres, mongo: MongoSettings, objects: ObjectSettings, settings: VodSettings
) -> AsyncIterator[UploadStage]:
    async with open_mongo(mongo) as catalogue, open_objects(objects) as files:
        yield await UploadStage(db, catalogue, files, settings).emptied()
