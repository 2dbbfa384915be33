"""What every way of making videos promises to who asks for them."""

import pytest

from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from media.vod.convert.jobs import MediaConvertTranscoding
from media.vod.ports import Transcoding
from media.vod.transcodes import Transcodes
from tests.media.vod.work import NOON, Work, a_source


@pytest.fixture(params=[Transcodes, MediaConvertTranscoding], ids=["own", "mediaconvert"])
def transcoding(request: pytest.FixtureRequest) -> Transcoding:
    made: Transcoding = request.param(Outbox(), lambda: NOON, left_seconds=0)
    return made


async def test_a_request_is_one_piece_of_work_however_often_it_is_made(transcoding: Transcoding, db: Postgres) -> None:
    work, source = Work(db), a_source()
    for _ in range(3):
        async with db.transaction() as connection:
            await transcoding.request(connection, source)
            assert await transcoding.is_under_way(connection, source.video_id)
    assert await work.value("SELECT count(*) FROM transcode_tasks") == 1
    assert await work.value("SELECT count(*) FROM outbox WHERE topic = 'transcode.requested'") == 1


async def test_only_what_failed_begins_anew_and_in_another_build(transcoding: Transcoding, db: Postgres) -> None:
    work, source = Work(db), a_source()
    async with db.transaction() as connection:
        await transcoding.request(connection, source)
        assert not await transcoding.again(connection, source.video_id)
    before = await work.value("SELECT build FROM transcodes")
    await work.execute("UPDATE transcodes SET state = 'failed'")
    async with db.transaction() as connection:
        assert not await transcoding.is_under_way(connection, source.video_id)
        assert await transcoding.again(connection, source.video_id)
        assert not await transcoding.again(connection, source.video_id)
    assert await work.value("SELECT build FROM transcodes") != before


async def test_what_is_cancelled_is_forgotten_and_its_files_are_to_be_deleted(
    transcoding: Transcoding, db: Postgres
) -> None:
    work, source = Work(db), a_source()
    async with db.transaction() as connection:
        await transcoding.request(connection, source)
    for _ in range(2):
        async with db.transaction() as connection:
            await transcoding.cancel(connection, source.video_id)
    assert await work.value("SELECT count(*) FROM transcodes") == 0
    assert await work.value("SELECT count(*) FROM transcode_leftovers") == 2


async def test_what_was_rolled_back_was_never_asked_for(transcoding: Transcoding, db: Postgres) -> None:
    async with db.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await transcoding.request(connection, a_source())
        await transaction.rollback()
    assert await Work(db).value("SELECT count(*) FROM transcodes") == 0
