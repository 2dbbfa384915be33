"""Errors as answers: the one table from kinds of errors to status numbers, and their shape in JSON and OpenAPI."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.types import ExceptionHandlersMap

from infra.errors import (
    Conflict,
    FootlightError,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from infra.logs import get_logger

AnyRequest = Request[Any, Any, Any]
DEFAULT_RETRY_MS = 1000  # for an error that says "try again" but not when

log = get_logger(__name__)


class MalformedJson(Invalid):
    code = "request.malformed"
    message = "The body is not valid JSON."


class MethodNotAllowed(Invalid):
    code = "request.method"
    message = "This address does not take that method."


class WrongContentType(Invalid):
    code = "request.content_type"
    message = "Send the body as application/json."


# The nearest class of an error's family tree counts. 405 and 415 exist only in HTTP.
STATUS: Mapping[type[FootlightError], int] = {
    MethodNotAllowed: 405,
    WrongContentType: 415,
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    TooMany: 429,
    Unavailable: 503,
    FootlightError: 500,
}


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong: a stable code, a sentence for a person, and whatever else helps."""

    code: str
    message: str
    details: dict[str, Any]


class ErrorAnswer(msgspec.Struct, frozen=True):
    """Every answer that is not a success."""

    error: ErrorBody


def status_of(error: type[FootlightError]) -> int:
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def answer(error: FootlightError, headers: Mapping[str, str] | None = None) -> Response[ErrorAnswer]:
    """The response for an error. A retryable one always says when (`Retry-After` in whole seconds, rounded up)."""
    status, fields, details = status_of(type(error)), dict(headers or {}), error.details
    if error.retryable:
        wait_ms = error.retry_after_ms if error.retry_after_ms is not None else DEFAULT_RETRY_MS
        fields["retry-after"] = str(max(1, -(-wait_ms // 1000)))
        details = {**details, "retry_after_ms": wait_ms}
    if status == 401:
        fields["www-authenticate"] = "Bearer"
    fields["cache-control"] = "no-store"
    body = ErrorAnswer(ErrorBody(error.code, error.message, details))
    return Response(body, status_code=status, headers=fields, media_type="application/json")


def for_ours(_: AnyRequest, error: FootlightError) -> Response[ErrorAnswer]:
    if status_of(type(error)) >= 500:
        log.error("api.refused", code=error.code)
    return answer(error)


def for_framework(_: AnyRequest, error: HTTPException) -> Response[ErrorAnswer]:
    """Litestar's own refusals in our words."""
    if isinstance(error, ValidationException):
        return answer(Invalid(fields=_fields(error.extra)))
    ours: dict[int, type[FootlightError]] = {
        400: MalformedJson,
        404: NotFound,
        405: MethodNotAllowed,
        413: TooLarge,
    }
    if error.status_code not in ours:
        log.error("api.failed", exc_info=error)
        return answer(FootlightError())
    allow = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return answer(ours[error.status_code](), allow)


def for_surprises(_: AnyRequest, error: Exception) -> Response[ErrorAnswer]:
    """A bug. The log has all of it, under the request's correlation id; the client learns nothing."""
    log.error("api.failed", exc_info=error)
    return answer(FootlightError())


HANDLERS: ExceptionHandlersMap = {
    FootlightError: for_ours,
    HTTPException: for_framework,
    Exception: for_surprises,
}

_WHOLE = re.compile(r"Object (missing required|contains unknown) field `(.+)`")
_LENGTH = re.compile(r"Expected `str` of length (<=|>=) (\d+)")


def _fields(problems: Any) -> dict[str, str]:
    """`{"field": "what is wrong"}` from Litestar's list of problems; `body` is the whole body."""
    found: dict[str, str] = {}
    for problem in problems if isinstance(problems, list) else []:
        key, message = problem.get("key", "data"), problem.get("message", "")
        prefix = "" if key == "data" else f"{key}."
        if whole := _WHOLE.match(message):
            found[prefix + whole[2]] = "is missing" if whole[1].startswith("missing") else "is not a known field"
        elif length := _LENGTH.match(message):
            found[key] = f"must have at {'most' if length[1] == '<=' else 'least'} {length[2]} characters"
        elif message == "'data'":
            found["body"] = "is missing"
        else:
            found["body" if key == "data" else key] = message
    return found


def problems(*errors: type[FootlightError], body: bool = False) -> dict[int, ResponseSpec]:
    """The error answers of an endpoint for its OpenAPI entry: `errors`, and those that every endpoint can give."""
    everywhere: Sequence[type[FootlightError]] = (Invalid, Forbidden, TooMany, Unavailable)
    with_body: Sequence[type[FootlightError]] = (MalformedJson, TooLarge, WrongContentType) if body else ()
    by_status: dict[int, list[type[FootlightError]]] = {}
    for error in dict.fromkeys([*errors, *everywhere, *with_body]):
        by_status.setdefault(status_of(error), []).append(error)
    return {status: _spec(kinds) for status, kinds in sorted(by_status.items())}


def _spec(kinds: Sequence[type[FootlightError]]) -> ResponseSpec:
    examples = [
        Example(summary=kind.code, value={"error": {"code": kind.code, "message": kind.message, "details": {}}})
        for kind in kinds
    ]
    description = " · ".join(f"`{kind.code}`" for kind in kinds)
    return ResponseSpec(ErrorAnswer, generate_examples=False, description=description, examples=examples)
