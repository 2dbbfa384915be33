"""AWS MediaConvert itself: probe, create, ask, cancel. boto3 blocks, so its calls run in threads, a few at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.convert_settings import ConvertSettings
from infra.errors import FootlightError, NotFound, Unavailable
from infra.logs import get_logger
from media.vod.errors import Unreadable

AT_ONCE = 4
CONNECT_SECONDS = 3
READ_SECONDS = 30  # `Probe` reads the file before it answers

State = Literal["SUBMITTED", "PROGRESSING", "COMPLETE", "CANCELED", "ERROR"]

log = get_logger(__name__)


class ConvertUnavailable(Unavailable):
    code = "service.mediaconvert"
    message = "The video service does not answer just now."


class ConvertRefused(FootlightError):
    """It does not take what we ask: our fault, or that of the installation."""

    code = "transcode.refused"
    message = "The video service refused the request."
    retryable = True


class NoSuchJob(NotFound):
    code = "transcode.no_job"
    message = "The video service does not know this job."
    retryable = True


@dataclass(frozen=True, slots=True)
class Job:
    """What became of a job. `done` is 0 to 1, `code` and `why` say what went wrong."""

    state: State
    done: float
    code: int = 0
    why: str = ""


class MediaConvert:
    """Raises `ConvertUnavailable` and `ConvertRefused` from everything."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._places = asyncio.Semaphore(AT_ONCE)

    async def probe(self, url: str) -> list[dict[str, Any]]:
        """What is in a file (`s3://...`). Raises `Unreadable` when the service can make nothing of it."""
        try:
            answer = await self._ask(partial(self._client.probe, InputFiles=[{"FileUrl": url}]))
        except ConvertRefused as refused:
            raise Unreadable from refused
        found: list[dict[str, Any]] = answer.get("ProbeResults", [])
        return found

    async def create(self, request: dict[str, Any]) -> str:
        """The id of the new job, or of the one that was made with the same token within a minute."""
        answer = await self._ask(partial(self._client.create_job, **request))
        return str(answer["Job"]["Id"])

    async def find(self, job_id: str) -> Job:
        """Raises `NoSuchJob`; the service forgets jobs after three months."""
        job = (await self._ask(partial(self._client.get_job, Id=job_id)))["Job"]
        percent = float(job.get("JobPercentComplete") or 0)
        return Job(job["Status"], percent / 100, int(job.get("ErrorCode") or 0), str(job.get("ErrorMessage", ""))[:300])

    async def cancel(self, job_id: str) -> None:
        """Fine when it is over, or was never known."""
        try:
            await self._ask(partial(self._client.cancel_job, Id=job_id))
        except (NoSuchJob, ConvertRefused) as over:
            log.info("convert.nothing_to_cancel", job_id=job_id, code=over.code)

    async def _ask(self, call: Callable[[], Any]) -> Any:
        try:
            async with self._places:
                return await asyncio.to_thread(call)
        except ClientError as refused:
            raise _translated(refused) from refused
        except (BotoCoreError, OSError) as lost:
            raise ConvertUnavailable from lost


def _translated(refused: ClientError) -> FootlightError:
    status = refused.response["ResponseMetadata"]["HTTPStatusCode"]
    code = refused.response["Error"]["Code"]
    if status == 429 or status >= 500:
        return ConvertUnavailable()
    if status == 403:  # the installation's fault, whatever the video
        log.error("convert.forbidden", code=code)
        return ConvertUnavailable()
    return NoSuchJob() if status == 404 else ConvertRefused(why=code)


@asynccontextmanager
async def open_mediaconvert(settings: ConvertSettings) -> AsyncIterator[MediaConvert]:
    """Credentials come as boto3 finds them: the role of the process, or its environment."""
    client = boto3.client(
        "mediaconvert",
        region_name=settings.region,
        endpoint_url=settings.endpoint or None,
        config=Config(
            connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"mode": "standard", "max_attempts": 2}
        ),
    )
    try:
        yield MediaConvert(client)
    finally:
        client.close()
