"""S3 and what speaks like it: open, ping, close. Files; nothing else knows how to connect.

boto3 blocks, so its calls run in a few threads of our own with a bounded queue. Signing is local arithmetic
(0.2 ms measured for a part of an upload) and is done where it is asked for.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import NotFound, Unavailable
from infra.logs import get_logger
from infra.settings import ObjectSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
log = get_logger(__name__)

THREADS = 8
WAITING = 64  # calls that may wait for a thread; more than this is an outage, not a queue
CONNECT_SECONDS = 3
READ_SECONDS = 20  # the largest single answer is one part of an upload
MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchUpload"})
OWN_BUCKET = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
DEFAULT_REGION = "us-east-1"  # the one region S3 refuses as a location constraint


class ObjectsUnavailable(Unavailable):
    code = "service.objects"
    message = "File storage does not answer just now. Try again in a moment."


class NoSuchObject(NotFound):
    code = "object.not_found"
    message = "There is no such file."


class Objects:
    """One bucket."""

    def __init__(
        self, client: "S3Client", bucket: str, threads: ThreadPoolExecutor, signer: "S3Client | None" = None
    ) -> None:
        self._client = client
        self._signer = signer or client  # knows the address that browsers use, which is part of what is signed
        self._threads = threads
        self._in_hand = 0
        self.bucket = bucket

    @property
    def client(self) -> "S3Client":
        """For several blocking steps in one `run`."""
        return self._client

    async def call(self, operation: str, **arguments: Any) -> Any:
        """One boto3 operation on our bucket, such as `call("put_object", Key="a", Body=b"...")`.

        Raises `NoSuchObject`, or `ObjectsUnavailable` for a lost, slow or overloaded server; other refusals
        (`ClientError`, such as a failed precondition) are the caller's to understand.
        """
        return await self.run(partial(getattr(self._client, operation), Bucket=self.bucket, **arguments))

    async def read(self, key: str) -> bytes:
        """A whole small file; `NoSuchObject` when it is not there."""

        def fetch() -> bytes:  # the body is read in the thread too: it is the slow part
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

        return await self.run(fetch)

    def presigned(self, operation: str, seconds: int, **arguments: Any) -> str:
        """A URL with which anybody may do this one thing for so long."""
        parameters: Mapping[str, Any] = {"Bucket": self.bucket, **arguments}
        return self._signer.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)

    def presigned_form(self, key: str, seconds: int, largest_bytes: int, content_type: str) -> dict[str, Any]:
        """`{url, fields}` of an HTML form that uploads one file of at most this size and exactly this type."""
        return self._signer.generate_presigned_post(
            self.bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, largest_bytes]],
            ExpiresIn=seconds,
        )

    async def ping(self) -> None:
        """Raise when the bucket cannot be reached."""
        await self.call("head_bucket")

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking boto3 work in one of our threads."""
        if self._in_hand >= THREADS + WAITING:
            raise ObjectsUnavailable(retry_after_ms=1000)
        self._in_hand += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ClientError as refused:
            raise _translated(refused) from refused
        except (BotoCoreError, OSError) as lost:
            raise ObjectsUnavailable() from lost
        finally:
            self._in_hand -= 1


def _translated(refused: ClientError) -> Exception:
    if refused.response["Error"]["Code"] in MISSING:
        return NoSuchObject()
    status = refused.response["ResponseMetadata"]["HTTPStatusCode"]
    return ObjectsUnavailable() if status == 429 or status >= 500 else refused


@asynccontextmanager
async def open_objects(settings: ObjectSettings) -> AsyncIterator[Objects]:
    """Make a client, and the bucket when it is missing; a process starts also while the storage is away.

    Leaving the block waits for calls in hand.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="s3") as threads:
        loop = asyncio.get_running_loop()
        client = await loop.run_in_executor(threads, _client, settings)  # loads 5 MB of service descriptions
        signer = await loop.run_in_executor(threads, _signer, settings) if settings.public_endpoint else client
        objects = Objects(client, settings.bucket, threads, signer)
        try:
            try:
                await _ensure_bucket(objects, settings.region)
            except ObjectsUnavailable as away:
                log.error("storage_away", code=away.code, bucket=settings.bucket)
            yield objects
        finally:
            await asyncio.to_thread(threads.shutdown)
            client.close()
            signer.close()


async def _ensure_bucket(objects: Objects, region: str) -> None:
    try:
        await objects.ping()
        return
    except NoSuchObject:
        place = {} if region == DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        await objects.call("create_bucket", **place)
    except ClientError as refused:
        if refused.response["Error"]["Code"] not in OWN_BUCKET:  # another process was quicker
            raise


def _signer(settings: ObjectSettings) -> "S3Client":
    """Signs and never calls."""
    return _client(replace(settings, endpoint=settings.public_endpoint))


def _client(settings: ObjectSettings) -> "S3Client":
    config = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=THREADS,
        s3={"addressing_style": "path" if settings.endpoint else "auto"},
    )
    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint or None,
        region_name=settings.region,
        aws_access_key_id=settings.access_key or None,
        aws_secret_access_key=settings.secret_key or None,
        config=config,
    )
