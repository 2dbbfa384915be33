"""Which refusals of Stripe are for good: the same request will never be accepted, and nothing was done."""

import stripe

from infra.errors import FootlightError


def final_refusal(failure: FootlightError) -> str | None:
    """Stripe's code for a request that it looked at and turned down (`account_invalid`, `balance_insufficient`).

    None for everything that leaves open whether something happened, or that an operator can mend: no answer, a wrong
    key of the account, an answer we did not understand, an idempotency key that was used for something else.
    """
    cause = failure.__cause__
    return (cause.code or "refused") if isinstance(cause, stripe.InvalidRequestError) else None
