"""Refusals as Stripe words them. They leave the sandbox as JSON under the same status and codes."""

from typing import Any

from infra.errors import FootlightError


class Refused(FootlightError):
    """An answer of Stripe's that is an error. `kept`: the same idempotency key gives it again."""

    code = "sandbox.refused"
    message = "Stripe would refuse this."

    def __init__(
        self,
        said: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        kept: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(said)
        self.said = said
        self.status = status
        self.kept = kept
        self.error = {"type": kind, "message": said, **({"code": code} if code else {}), **more}

    def as_json(self) -> dict[str, Any]:
        return {"error": self.error}


class CannotStart(FootlightError):
    code = "sandbox.cannot_start"
    message = "The sandbox does not start like this."


def no_such(kind: str, object_id: str, param: str = "id") -> Refused:
    status, name = 404 if param == "id" else 400, kind.rpartition(".")[2]
    return Refused(f"No such {name}: '{object_id}'", status=status, code="resource_missing", param=param)


def missing(param: str) -> Refused:
    return Refused(f"Missing required param: {param}.", code="parameter_missing", param=param, kept=False)


def invalid(said: str, param: str, code: str | None = None) -> Refused:
    return Refused(said, param=param, code=code, kept=False)


def declined(code: str, decline_code: str, said: str, **more: Any) -> Refused:
    return Refused(said, status=402, kind="card_error", code=code, decline_code=decline_code, **more)
