"""One vocabulary of errors for every domain: what went wrong (`code`), in words, and whether to try again.

Domains raise subclasses named as sentences (`StreamAlreadyLive`). Only the edges know status numbers: HTTP maps the
*kind* (the direct subclass of `FootlightError`) to a status, sockets put `as_dict()` in the acknowledgement.
"""

from typing import Any


class FootlightError(Exception):
    """The root. `code` is `area.what`, stable for clients; `details` is JSON-ready and safe to show."""

    code = "internal"
    message = "Something went wrong on our side."
    retryable = False

    def __init__(self, message: str | None = None, *, retry_after_ms: int | None = None, **details: Any) -> None:
        self.message = message or type(self).message
        self.retry_after_ms = retry_after_ms
        self.details = details if retry_after_ms is None else {**details, "retry_after_ms": retry_after_ms}
        super().__init__(self.message)

    def as_dict(self) -> dict[str, Any]:
        """`{"code", "message", "details"}`: the inside of every error a client ever sees."""
        return {"code": self.code, "message": self.message, "details": self.details}


class Invalid(FootlightError):
    """The input cannot be right, whoever sends it."""

    code = "request.invalid"
    message = "The request is not valid."


class Unauthenticated(FootlightError):
    """We do not know who is asking."""

    code = "auth.required"
    message = "Sign in to do this."


class Forbidden(FootlightError):
    """We know who is asking, and they may not."""

    code = "auth.forbidden"
    message = "You are not allowed to do this."


class NotFound(FootlightError):
    """No such thing, or none the asker may know of."""

    code = "request.not_found"
    message = "There is nothing here."


class Conflict(FootlightError):
    """The request is fine, but not in the present state."""

    code = "request.conflict"
    message = "This does not fit the present state."


class TooLarge(FootlightError):
    """The input is over a stated limit."""

    code = "request.too_large"
    message = "The request is too large."


class TooMany(FootlightError):
    """The asker is over a rate; `retry_after_ms` says when to come back."""

    code = "limit.rate"
    message = "Too many requests. Wait a moment and try again."
    retryable = True


class Unavailable(FootlightError):
    """Something we stand on does not answer; nothing was acknowledged, so trying again is safe."""

    code = "service.unavailable"
    message = "A part of the service does not answer just now. Try again in a moment."
    retryable = True
