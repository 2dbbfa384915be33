"""What entries are called on statements."""

from payments.ledger.entries import Kind, Source

SOURCES: dict[Source, str] = {
    "subscription": "Channel subscription",
    "gift": "Gift",
    "paid_message": "Paid message",
    "premium": "Premium",
}
KINDS: dict[Kind, str] = {
    "payment": "Sale",
    "fee": "Fee",
    "refund": "Refund",
    "refund_failed": "Refund that failed",
    "dispute_opened": "Held for a dispute",
    "dispute_won": "Dispute won",
    "dispute_lost": "Dispute lost",
    "payout_asked": "Payout asked for",
    "payout_sent": "Paid out",
    "payout_failed": "Payout failed",
    "payout_returned": "Payout came back",
}


def words(kind: Kind, source: Source | None) -> str:
    """`Refund: Gift`; a sale is just what was sold."""
    if source is None:
        return KINDS[kind]
    return SOURCES[source] if kind == "payment" else f"{KINDS[kind]}: {SOURCES[source]}"
