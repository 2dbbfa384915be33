"""`footlight ledger check`: do the books add up. Reads only; safe at any time."""

import argparse
import sys

from infra.metrics import Metrics
from infra.settings import Settings
from infra.stores.postgres import open_postgres
from payments.ledger.audit import Audit, Checked
from payments.money import Money


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Print what the accounts come to and what is wrong; 1 when anything is."""
    async with open_postgres(settings.postgres) as db:
        checked = await Audit(db, Metrics()).check()
    sys.stdout.write("".join(f"{line}\n" for line in report(checked)))
    return 1 if checked.findings else 0


def report(checked: Checked) -> list[str]:
    """What a person reads: debit is positive, credit negative."""
    lines = [
        f"{account:10}{Money(total_minor, currency).as_text():>20}"
        for account, totals in checked.balances.items()
        for currency, total_minor in totals.items()
    ]
    lines += [f"WRONG {finding.kind} {finding.what}: {finding.why}" for finding in checked.findings]
    verdict = f"{len(checked.findings)} findings" if checked.findings else "the books add up"
    return [*lines, f"{checked.entries} entries: {verdict}"]
