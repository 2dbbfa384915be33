"""The sandbox is there unless the operator has an account at Stripe."""

from pathlib import Path

import pytest

from infra.local.sandbox import notice, sandbox_arguments, sandbox_environment
from infra.stripe_settings import StripeSettings


def test_its_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first, second = (sandbox_environment(tmp_path / "sandbox", 12, {}) for _ in range(2))
    assert first == second
    assert first["FOOTLIGHT_STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert first["FOOTLIGHT_STRIPE_WEBHOOK_SECRETS"].startswith("whsec_")
    assert first["FOOTLIGHT_STRIPE_API_BASE"] == "http://127.0.0.1:12"
    assert (tmp_path / "sandbox" / "key").stat().st_mode & 0o077 == 0
    assert StripeSettings().secret_key == ""


@pytest.mark.parametrize("name", ["SECRET_KEY", "API_BASE"])
def test_an_operators_own_account_is_left_alone(tmp_path: Path, name: str) -> None:
    assert sandbox_environment(tmp_path / "sandbox", 12, {f"FOOTLIGHT_STRIPE_{name}": "theirs"}) == {}
    assert not (tmp_path / "sandbox").exists()


def test_it_tells_the_web_address_and_people_are_told_of_it(tmp_path: Path) -> None:
    arguments = sandbox_arguments(tmp_path, 12, 8000)
    assert "http://127.0.0.1:8000/api/v1/webhooks/stripe" in arguments
    assert "no money moves" in notice(12)
    assert "http://localhost:12" in notice(12)
    assert "no money moves" not in notice(None)
