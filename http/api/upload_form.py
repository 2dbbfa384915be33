"""A form with a file, read piece by piece: its fields first, then the file as a stream. Nothing is kept of the file."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from multipart import (  # type: ignore[import-untyped]  # publishes no types
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from media.vod.errors import FormRefused
from media.vod.upload_model import FORM_FIELDS_BYTES

FILE = "file"
MOST_FIELDS = 40

Event = Any  # a MultipartSegment: a field begins; bytes: some of its content; None: it ends


class UploadForm:
    """`fields`, then `file`; each once, in this order."""

    def __init__(self, body: AsyncIterator[bytes], boundary: str) -> None:
        self._events = _events(body, boundary)
        self.file_name = ""

    async def fields(self) -> dict[str, list[str]]:
        """All that stands before the file, by name. Raises `FormRefused`."""
        fields: dict[str, list[str]] = {}
        size_bytes = 0
        async for event in self._events:
            if not isinstance(event, MultipartSegment):
                raise FormRefused
            if event.name == FILE:
                self.file_name = event.filename or ""
                return fields
            content = await self._content(FORM_FIELDS_BYTES - size_bytes)
            size_bytes += len(content)
            fields.setdefault(event.name or "", []).append(_text(content))
        raise FormRefused(fields={FILE: "is missing"})

    async def _content(self, most_bytes: int) -> bytes:
        content = bytearray()
        async for event in self._events:
            if event is None:
                break
            if isinstance(event, MultipartSegment) or len(content) + len(event) > most_bytes:
                raise FormRefused
            content += event
        return bytes(content)

    async def file(self) -> AsyncIterator[bytes]:
        """The file as it arrives. Its end is the end of the form: raises `FormRefused` when that does not come."""
        is_over = False
        async with aclosing(self._events) as events:
            async for event in events:
                if is_over:
                    raise FormRefused(fields={FILE: "must come last"})
                if event is None:
                    is_over = True
                elif not isinstance(event, MultipartSegment):
                    yield bytes(event)


async def _events(body: AsyncIterator[bytes], boundary: str) -> AsyncGenerator[Event, None]:
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_FIELDS, strict=True) as parser:
            async for chunk in body:
                if chunk:  # an empty one would end it
                    for event in parser.parse(chunk):
                        yield event
    except MultipartError as broken:
        raise FormRefused from broken


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise FormRefused from None
