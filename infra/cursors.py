"""Where a list goes on: the sort key of the last row shown, opaque to clients. Rows that come or go shift no page."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from infra.errors import Invalid

Row = TypeVar("Row")
Key = TypeVar("Key")


def encode(key: object) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).decode().rstrip("=")


def decode(cursor: str | None, kind: type[Key]) -> Key | None:
    """The key, or None without a cursor; raises `Invalid` for one that is not ours."""
    if cursor is None:
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(packed, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Invalid("The cursor is not one of ours.", fields={"cursor": "must be a `next_cursor` of ours"}) from None


def cut(rows: Sequence[Row], limit: int, key_of: Callable[[Row], object]) -> tuple[list[Row], str | None]:
    """The page of a query that asked for one row more than `limit`, and where to go on."""
    shown = list(rows[:limit])
    return shown, encode(key_of(shown[-1])) if len(rows) > limit else None
