"""What arrives in the queue in front of the converter: "look at this video", said by three who do not know each other.

S3 says that a source was stored, MediaConvert (through EventBridge) that a job changed, and our workers that a video
is to be made again or was not heard of for long. All of it is only a hint: what is to be done stands in PostgreSQL.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

import msgspec

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SOURCE = re.compile(rf"uploads/({UUID})/.+")
VIDEO = re.compile(UUID)


def hint(video_id: str) -> str:
    """The message of our own workers."""
    return msgspec.json.encode({"video_id": video_id}).decode()


def videos_in(body: str) -> tuple[str, ...]:
    """The videos that a message is about; none for what means nothing to us, which is no error."""
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ()
    if not isinstance(said, dict):
        return ()
    return tuple(dict.fromkeys(found for found in _named(said) if VIDEO.fullmatch(found)))


def _named(said: dict[str, Any]) -> Iterator[str]:
    yield str(said.get("video_id", ""))
    detail = said.get("detail")
    if said.get("source") == "aws.mediaconvert" and isinstance(detail, dict):
        metadata = detail.get("userMetadata")
        yield str(metadata.get("video_id", "")) if isinstance(metadata, dict) else ""
    records = said.get("Records")
    for record in records if isinstance(records, list) else ():
        yield _of_object(record)


def _of_object(record: Any) -> str:
    try:
        key = unquote_plus(record["s3"]["object"]["key"])  # S3 writes keys as forms do
    except (KeyError, TypeError):
        return ""
    found = SOURCE.fullmatch(key)
    return found[1] if found else ""
