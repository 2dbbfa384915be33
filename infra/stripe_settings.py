"""The settings of payments."""

from dataclasses import dataclass

from infra.declaring import beginning, between, setting, url


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """Payments, by Stripe or by the sandbox that stands in for it; off without a key."""

    secret_key: str = setting(
        "FOOTLIGHT_STRIPE_SECRET_KEY",
        "",
        "key of the account; empty: no payments",
        check=beginning("sk_", "rk_"),
        secret=True,
    )
    webhook_secrets: tuple[str, ...] = setting(
        "FOOTLIGHT_STRIPE_WEBHOOK_SECRETS",
        (),
        "signing secrets of our webhook endpoints, also the one before while it is rolled; empty: webhooks are refused",
        check=beginning("whsec_"),
        secret=True,
    )
    api_base: str = setting(
        "FOOTLIGHT_STRIPE_API_BASE", "https://api.stripe.com", "Stripe, or the sandbox", check=url("http", "https")
    )
    collect_tax: bool = setting(
        "FOOTLIGHT_STRIPE_TAX", False, "have Stripe Tax add taxes to prices; set it up at Stripe first"
    )
    timeout_seconds: float = setting(
        "FOOTLIGHT_STRIPE_TIMEOUT", 5.0, "longest wait for one answer", check=between(0.1, 80)
    )
