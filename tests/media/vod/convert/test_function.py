"""The Lambda function and what our workers do beside it, with a real queue protocol in front (moto's SQS)."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from gateway.converting import Tending, inbox_of, stage_of
from gateway.lambda_convert import Function, environment
from infra.clock import new_id, system_clock
from infra.settings import Settings, example
from loadtest.vod.desk import Desk
from media.events import TranscodeRequested
from media.vod.convert.messages import hint
from media.vod.convert.service import open_mediaconvert
from media.vod.leftovers import Leftovers
from tests.media.vod.convert.conftest import Drawn
from tests.media.vod.convert.stand_in import StandIn


@pytest.fixture
def queue(settings: Settings) -> Iterator[tuple[Settings, Any]]:
    """The settings with an inbox, and what reads it."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    client = boto3.client("sqs", region_name="eu-west-1", endpoint_url=f"http://127.0.0.1:{port}")
    url = client.create_queue(QueueName=f"inbox-{new_id()}")["QueueUrl"]
    convert = replace(settings.convert, inbox=url, inbox_endpoint=f"http://127.0.0.1:{port}")
    yield replace(settings, convert=convert), client
    client.close()
    server.stop()


def received(client: Any, url: str) -> list[str]:
    messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in messages]


async def test_workers_tell_the_queue_of_requests_and_of_what_nobody_looked_at(
    desk: Desk, service: StandIn, film: Drawn, queue: tuple[Settings, Any]
) -> None:
    settings, client = queue
    video_id = await desk.upload(film.file)
    async with open_mediaconvert(settings.convert) as mediaconvert:
        stage = stage_of(desk.db, desk.objects, desk.mongo, desk.bus, mediaconvert, settings)
        tending = Tending(stage, Leftovers(desk.db, desk.objects), inbox_of(settings.convert))
        await tending.heard(TranscodeRequested(at=system_clock(), video_id=video_id).to_message())
        await tending.round()
        assert await asyncio.to_thread(received, client, settings.convert.inbox) == [hint(video_id)]
        async with desk.db.connection() as connection:
            await connection.execute("UPDATE transcode_tasks SET due_at = now() - interval '1 hour'")
        await tending.round()
        assert await asyncio.to_thread(received, client, settings.convert.inbox) == [hint(video_id)]
        service.broken = 500
        await desk.cancel(video_id)
        await tending.round()  # none of what cannot be done keeps the rest from being done


async def test_the_function_makes_a_video_of_what_it_is_told_and_gives_back_what_it_could_not(
    desk: Desk, service: StandIn, film: Drawn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    video_id = await desk.upload(film.file)
    function = await asyncio.to_thread(Function)
    records = [
        {"messageId": "1", "body": hint(video_id)},
        {"messageId": "2", "body": json.dumps({"Event": "s3:TestEvent"})},
        {"messageId": "3", "body": hint(new_id())},
    ]
    try:
        assert await asyncio.to_thread(function, {"Records": records}) == {"batchItemFailures": []}
        await service.work()
        odd = {"messageId": "4"}
        answer = await asyncio.to_thread(function, {"Records": [odd, *records[:1]]})
        assert answer == {"batchItemFailures": [{"itemIdentifier": "4"}]}
        assert (await desk.catalogue.get(video_id)).status == "ready"
    finally:
        await asyncio.to_thread(function.close)


def test_secrets_come_from_where_secrets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://{}:{}".format(*server.get_host_and_port()))
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        kept = json.dumps({"FOOTLIGHT_POSTGRES_URL": "postgres://kept"})
        arn = client.create_secret(Name="footlight", SecretString=kept)["ARN"]
        client.close()
        given = {"CONVERT_SECRET_ARN": arn, "FOOTLIGHT_MEDIACONVERT_REGION": "eu-west-1", "PATH": "/bin"}
        assert environment(given) == {**given, "FOOTLIGHT_POSTGRES_URL": "postgres://kept"}
        assert environment({"PATH": "/bin"}) == {"PATH": "/bin"}
    finally:
        server.stop()


def environment_of(settings: Settings) -> dict[str, str]:
    """What the function is configured with."""
    ours = {
        "FOOTLIGHT_POSTGRES_URL": settings.postgres.url,
        "FOOTLIGHT_REDIS_NODES": ",".join(settings.redis.nodes),
        "FOOTLIGHT_MONGO_URL": settings.mongo.url,
        "FOOTLIGHT_MONGO_DATABASE": settings.mongo.database,
        "FOOTLIGHT_S3_ENDPOINT": settings.objects.endpoint,
        "FOOTLIGHT_S3_BUCKET": settings.objects.bucket,
        "FOOTLIGHT_S3_ACCESS_KEY": settings.objects.access_key,
        "FOOTLIGHT_S3_SECRET_KEY": settings.objects.secret_key,
        "FOOTLIGHT_TRANSCODER": "mediaconvert",
        "FOOTLIGHT_MEDIACONVERT_ROLE": settings.convert.role,
        "FOOTLIGHT_MEDIACONVERT_QUEUE": settings.convert.queue,
        "FOOTLIGHT_MEDIACONVERT_INBOX": settings.convert.inbox,
        "FOOTLIGHT_MEDIACONVERT_ENDPOINT": settings.convert.endpoint,
        "FOOTLIGHT_LOG_STYLE": "console",
    }
    assert all(f"{name}=" in example() for name in ours)
    return ours
