"""A file of unknown length into the object store as it is made, never more than two parts of it in memory."""

import contextlib
from collections.abc import AsyncIterator

from infra.errors import FootlightError
from infra.stores.objects import Objects

PART_BYTES = 16 << 20  # 10,000 parts make 160 GB


async def store(objects: Objects, key: str, pieces: AsyncIterator[bytes]) -> int:
    """Store it under the key; how many bytes it has. Nothing is there when it does not come to its end.

    Raises `ObjectsUnavailable`, and what the pieces raise.
    """
    answer = await objects.call("create_multipart_upload", Key=key, ContentType="application/octet-stream")
    upload_id = answer["UploadId"]
    try:
        etags, size_bytes = await _send(objects, key, upload_id, pieces)
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        await objects.call("complete_multipart_upload", Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts})
    except BaseException:
        with contextlib.suppress(FootlightError):  # what stays, the sweeper of uploads aborts after a day
            await objects.call("abort_multipart_upload", Key=key, UploadId=upload_id)
        raise
    return size_bytes


async def _send(objects: Objects, key: str, upload_id: str, pieces: AsyncIterator[bytes]) -> tuple[list[str], int]:
    etags: list[str] = []
    waiting, size_bytes = bytearray(), 0

    async def send(part: bytes) -> None:
        answer = await objects.call("upload_part", Key=key, UploadId=upload_id, PartNumber=len(etags) + 1, Body=part)
        etags.append(answer["ETag"])

    async for piece in pieces:
        waiting += piece
        size_bytes += len(piece)
        while len(waiting) >= PART_BYTES:
            await send(bytes(waiting[:PART_BYTES]))
            del waiting[:PART_BYTES]
    if waiting or not etags:
        await send(bytes(waiting))
    return etags, size_bytes
