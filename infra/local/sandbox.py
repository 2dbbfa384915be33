"""Payments on this machine: the sandbox that stands in for Stripe, unless the operator has a key of their own."""

from collections.abc import Mapping
from pathlib import Path

from infra.local.parts import LOOPBACK, kept_secret

SECRET_KEY, WEBHOOK_SECRETS, API_BASE = (
    f"FOOTLIGHT_STRIPE_{name}" for name in ("SECRET_KEY", "WEBHOOK_SECRETS", "API_BASE")
)
WEBHOOK_PATH = "/api/v1/webhooks/stripe"


def sandbox_environment(folder: Path, port: int, chosen: Mapping[str, str]) -> dict[str, str]:
    """What every process needs to use the sandbox; empty when `chosen` has a key of Stripe's, or another address.

    The secrets are made the first time and kept in `folder`.
    """
    if chosen.get(SECRET_KEY) or chosen.get(API_BASE):
        return {}
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        SECRET_KEY: "sk_test_" + kept_secret(folder / "key"),
        WEBHOOK_SECRETS: "whsec_" + kept_secret(folder / "webhooks"),
        API_BASE: f"http://{LOOPBACK}:{port}",
    }


def sandbox_arguments(folder: Path, port: int, web: int) -> tuple[str, ...]:
    """Of `footlight sandbox`; its secrets are in the environment."""
    told = f"http://{LOOPBACK}:{web}{WEBHOOK_PATH}"
    return ("sandbox", "--port", str(port), "--data", str(folder / "state.sqlite"), "--webhook-url", told)


def notice(port: int | None) -> str:
    """What a person should know about payments."""
    if port is None:
        return "Stripe, with your key"
    return f"SANDBOX, no money moves: http://localhost:{port} (test cards, clock, disputes)"
