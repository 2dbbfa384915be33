"""Uploads in the object store: multipart uploads whose every byte the store itself compares with checksums.

Begun with SHA-256 as its checksum, a multipart upload takes a part only with the checksum its URL was signed for, and
only if the bytes have it; closing it names all checksums once more. S3 does so, and SeaweedFS 4.48 does (measured: a
wrong byte is `BadDigest` at the part, a wrong checksum `BadDigest` at the end). Nothing has to be read back for it.
"""

import asyncio
import base64
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from io import RawIOBase
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from infra.logs import get_logger
from infra.stores.objects import NoSuchObject, Objects
from media.vod.errors import ChecksumMismatch
from media.vod.magic import HEAD_BYTES
from media.vod.parts import ReceivedPart, composite_sha256, part_length
from media.vod.upload_model import SignedPart, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

CHECKSUM_HEADER = "x-amz-checksum-sha256"
# What storage answers when parts are not what they are said to be.
WRONG_PARTS = frozenset({"BadDigest", "InvalidPart", "InvalidPartOrder", "InvalidRequest", "EntityTooSmall"})
PREFLIGHT_SECONDS = 3600
FOLDER = "uploads/"

log = get_logger(__name__)


class Found(msgspec.Struct, frozen=True):
    """An object that is there; `composite` is None where the store keeps no checksum."""

    size_bytes: int
    composite: bytes | None


class Begun(msgspec.Struct, frozen=True):
    """A multipart upload that is neither closed nor aborted."""

    key: str
    multipart_id: str
    at: datetime


class UploadStorage:
    """Every method raises `ObjectsUnavailable` when storage does not answer."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def begin(self, key: str) -> str:
        """The id of a new multipart upload."""
        answer = await self._objects.call(
            "create_multipart_upload",
            Key=key,
            ContentType="application/octet-stream",  # nobody's word is taken for it
            ChecksumAlgorithm="SHA256",
            ChecksumType="COMPOSITE",
        )
        return str(answer["UploadId"])

    async def sign(self, upload: Upload, sums: Mapping[int, bytes], seconds: int) -> list[SignedPart]:
        """URLs for these parts: each takes exactly the bytes with this checksum, of exactly the part's length."""

        def signed() -> list[SignedPart]:  # 0.2 ms each, so not on the loop
            return [self._signed(upload, number, sums[number], seconds) for number in sorted(sums)]

        return await asyncio.to_thread(signed)

    def _signed(self, upload: Upload, number: int, sha256: bytes, seconds: int) -> SignedPart:
        checksum = encoded(sha256)
        url = self._objects.presigned(
            "upload_part",
            seconds,
            Key=upload.key,
            UploadId=upload.multipart_id,
            PartNumber=number,
            ContentLength=part_length(number, upload.size_bytes, upload.part_bytes),
            ChecksumSHA256=checksum,
        )
        return SignedPart(number, url, {CHECKSUM_HEADER: checksum})

    def put_part(self, upload: Upload, number: int, content: RawIOBase, sha256: bytes) -> None:
        """Send a part. Blocks, so for `run`."""
        self._objects.client.upload_part(
            Bucket=self._objects.bucket,
            Key=upload.key,
            UploadId=upload.multipart_id or "",
            PartNumber=number,
            Body=content,  # type: ignore[arg-type]  # a file of bytes, which its stubs want as IO[Any]
            ChecksumSHA256=encoded(sha256),
        )

    async def run(self, work: Callable[[], object]) -> None:
        await self._objects.run(work)

    async def received(self, upload: Upload) -> dict[int, ReceivedPart] | None:
        """The parts that are there; None when there is no such multipart upload (any more)."""
        found: dict[int, ReceivedPart] = {}
        marker = 0
        while True:
            try:
                answer = await self._objects.call(
                    "list_parts", Key=upload.key, UploadId=upload.multipart_id or "", PartNumberMarker=marker
                )
            except NoSuchObject:
                return None
            for part in answer.get("Parts", ()):
                number = part["PartNumber"]
                found[number] = ReceivedPart(number=number, size_bytes=part["Size"], etag=part["ETag"])
            if not answer.get("IsTruncated"):
                return found
            marker = answer["NextPartNumberMarker"]

    async def close(self, upload: Upload, received: Mapping[int, ReceivedPart], sums: Mapping[int, bytes]) -> None:
        """Make one object of the parts; nothing happens when that was done already.

        Raises `ChecksumMismatch` when a part is not what `sums` says.
        """
        parts = [
            {"PartNumber": number, "ETag": received[number].etag, "ChecksumSHA256": encoded(sums[number])}
            for number in range(1, upload.parts + 1)
        ]
        try:
            await self._objects.call(
                "complete_multipart_upload",
                Key=upload.key,
                UploadId=upload.multipart_id or "",
                MultipartUpload={"Parts": parts},
            )
        except NoSuchObject:  # somebody else was quicker; whether the object is there, `found` tells
            return
        except ClientError as refused:
            if refused.response["Error"]["Code"] not in WRONG_PARTS:
                raise
            log.info("upload.parts_refused", video_id=upload.video_id, why=refused.response["Error"]["Code"])
            raise ChecksumMismatch from refused

    async def found(self, key: str) -> Found | None:
        """The object, if it is there."""
        try:
            answer = await self._objects.call("head_object", Key=key, ChecksumMode="ENABLED")
        except NoSuchObject:
            return None
        composite = str(answer.get("ChecksumSHA256", "")).partition("-")[0]
        return Found(answer["ContentLength"], base64.b64decode(composite) if composite else None)

    async def head(self, key: str) -> bytes:
        """How the stored object begins. Raises `NoSuchObject`."""

        def fetch() -> bytes:
            answer = self._objects.client.get_object(
                Bucket=self._objects.bucket, Key=key, Range=f"bytes=0-{HEAD_BYTES - 1}"
            )
            return answer["Body"].read(HEAD_BYTES)

        return await self._objects.run(fetch)

    async def abort(self, key: str, multipart_id: str) -> None:
        """No part is there afterwards. Again is fine."""
        with contextlib.suppress(NoSuchObject):  # closed or aborted before
            await self._objects.call("abort_multipart_upload", Key=key, UploadId=multipart_id)

    async def remove(self, key: str, multipart_id: str | None) -> None:
        """Neither parts nor object are there afterwards. Again is fine."""
        if multipart_id is not None:
            await self.abort(key, multipart_id)
        await self._objects.call("delete_object", Key=key)

    async def begun_before(self, moment: datetime, folder: str = FOLDER) -> list[Begun]:
        """Multipart uploads in the folder that are that old; some of them, when there are thousands."""
        answer = await self._objects.call("list_multipart_uploads", Prefix=folder)
        return [
            Begun(one["Key"], one["UploadId"], one["Initiated"])
            for one in answer.get("Uploads", ())
            if one["Initiated"] < moment
        ]

    async def allow_origins(self, origins: Sequence[str]) -> None:
        """Let pages of these origins send parts and read the `ETag` of the answer; no other page may."""
        rule: CORSRuleTypeDef = {
            "AllowedOrigins": sorted(origins),
            "AllowedMethods": ["PUT"],
            "AllowedHeaders": [CHECKSUM_HEADER, "content-type"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": PREFLIGHT_SECONDS,
        }
        try:
            present = (await self._objects.call("get_bucket_cors"))["CORSRules"]
        except ClientError as refused:
            if refused.response["Error"]["Code"] != "NoSuchCORSConfiguration":
                raise
            present = []
        if [_comparable(one) for one in present] != [_comparable(dict(rule))]:
            await self._objects.call("put_bucket_cors", CORSConfiguration={"CORSRules": [rule]})


def _comparable(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Without the order of lists, the case of header names, and what a store adds."""
    return {
        "origins": sorted(rule.get("AllowedOrigins", ())),
        "methods": sorted(rule.get("AllowedMethods", ())),
        "headers": sorted(name.lower() for name in rule.get("AllowedHeaders", ())),
        "exposed": sorted(name.lower() for name in rule.get("ExposeHeaders", ())),
        "seconds": rule.get("MaxAgeSeconds"),
    }


def encoded(sha256: bytes) -> str:
    """As S3 writes checksums."""
    return base64.b64encode(sha256).decode()


def agrees(found: Found, upload: Upload, sums: Mapping[int, bytes]) -> bool:
    """Whether the stored object is the one that was announced. Pure."""
    wanted = composite_sha256([sums[number] for number in sorted(sums)])
    return found.size_bytes == upload.size_bytes and found.composite in (None, wanted)
