"""What only we hear when we ask Stripe; what people are told is in `payments/errors.py`."""

from infra.errors import NotFound


class NoSuchObject(NotFound):
    """Stripe does not know this id, or not any longer. Deleted customers and accounts are known, as deleted."""

    code = "payment.not_at_stripe"
    message = "The payment service does not know this."
