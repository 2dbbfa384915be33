"""CloudFront's copies of files, in production: a deleted video's are dropped there too. Our own edge is told by
`purging.py`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.clock import new_id
from infra.errors import Unavailable
from infra.logs import get_logger

Client = Any  # boto3 makes its classes when it runs
CONNECT_SECONDS, READ_SECONDS = 3, 10
REGION = "us-east-1"  # CloudFront has one address for the whole world; its requests are signed for this region

log = get_logger(__name__)


class CloudFrontUnavailable(Unavailable):
    """Also when too many invalidations are in progress (15 with wildcards at once)."""

    code = "service.cloudfront"
    message = "Copies of the files cannot be dropped just now. It is tried again."


class CloudFrontCopies:
    """Implements `media.catalog.deleting.Caches`."""

    def __init__(self, client: Callable[[], Client], distribution_id: str) -> None:
        self._new_client = client
        self._client: Client = None
        self._distribution_id = distribution_id
        self._asking = asyncio.Lock()

    async def forget(self, paths: Sequence[str]) -> None:
        """Drops what is there now, also of paths that were dropped before. Raises `CloudFrontUnavailable`."""
        async with self._asking:
            await asyncio.to_thread(self._invalidate, list(paths))

    def _invalidate(self, paths: list[str]) -> None:
        # A reference that CloudFront knows drops nothing: new for every call, the same in boto3's own retries of it.
        reference = new_id()
        try:
            if self._client is None:
                self._client = self._new_client()
            answer = self._client.create_invalidation(
                DistributionId=self._distribution_id,
                InvalidationBatch={
                    "Paths": {"Quantity": len(paths), "Items": paths},
                    "CallerReference": reference,
                },
            )
        except (ClientError, BotoCoreError, OSError) as refused:
            log.error("cloudfront.refused", why=str(refused))
            raise CloudFrontUnavailable() from refused
        log.info("cloudfront.invalidated", invalidation_id=answer["Invalidation"]["Id"], paths=paths)


def cloudfront_client() -> Client:
    """With the machine's own role; makes no call."""
    options = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 2})
    return boto3.client("cloudfront", region_name=REGION, config=options)
