"""The Lambda function in front of MediaConvert: `gateway.lambda_convert.handler`, fed by an SQS queue.

Into the queue come the bucket's events, the service's own (EventBridge) and hints of our workers; all of them mean
"look at this video". A message that could not be dealt with comes again (`batchItemFailures`), and after
several times goes to the dead letters. What is about no video of ours, or about one that is over, is fine.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Any

import boto3
import msgspec

from gateway.converting import open_conductor
from infra.logs import configure_logs, get_logger
from infra.settings import load_settings
from media.vod.convert.conductor import Conductor
from media.vod.convert.messages import videos_in

log = get_logger(__name__)


def environment(given: dict[str, str]) -> dict[str, str]:
    """Settings, with those that are secret from Secrets Manager: whoever may look at a function sees its variables."""
    secret = given.get("CONVERT_SECRET_ARN")
    if not secret:
        return given
    client = boto3.client("secretsmanager", region_name=given.get("FOOTLIGHT_MEDIACONVERT_REGION"))
    try:
        kept = msgspec.json.decode(client.get_secret_value(SecretId=secret)["SecretString"], type=dict[str, str])
    finally:
        client.close()
    return {**given, **kept}


class Function:
    """One warm instance: its event loop and its stores outlive the calls."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._open = AsyncExitStack()
        self._conductor: Conductor | None = None

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        return self._runner.run(self._answer(event))

    def close(self) -> None:
        self._runner.run(self._open.aclose())
        self._runner.close()

    async def _answer(self, event: dict[str, Any]) -> dict[str, Any]:
        failed: list[dict[str, str]] = []
        for record in event.get("Records", []):
            try:
                for video_id in videos_in(record["body"]):
                    await (await self._there()).look(video_id)
            except Exception:  # whatever it was, the message comes again, and the others are not held up
                log.exception("convert.look_failed", message_id=record.get("messageId"))
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    async def _there(self) -> Conductor:
        if self._conductor is None:
            settings = load_settings(await asyncio.to_thread(environment, dict(os.environ)))
            configure_logs(settings.logs.level, settings.logs.style, "lambda-convert")
            self._conductor = await self._open.enter_async_context(open_conductor(settings))
        return self._conductor


_instances: list[Function] = []


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """What Lambda calls."""
    if not _instances:
        _instances.append(Function())
    return _instances[0](event)
