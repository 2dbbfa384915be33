"""What the bodies of all events are made of: the base structs, and names with their bounds."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}\Z")]
StreamId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]  # no braces: it becomes a hash tag
UserId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
Epoch = Annotated[str, Meta(pattern=r"^[0-9a-f]{1,32}\Z")]
Offset = Annotated[int, Meta(ge=0, le=2**53)]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a client event is acknowledged with when all went well."""

    ok: Literal[True] = True


class Refusal(Struct, frozen=True, kw_only=True):
    """What it is acknowledged with otherwise: `error` = `{code, message, details}`."""

    error: dict[str, Any]
    ok: Literal[False] = False
