"""`footlight stripe`: compares what we know with what Stripe knows, and mends it."""

import argparse
import sys
from datetime import timedelta

from gateway.core import open_core
from gateway.paying import open_paying
from infra.clock import system_clock
from infra.settings import Settings
from payments.errors import PaymentsOff
from payments.reconcile import Difference, Report
from payments.stripe.client import NOBODY_WAITS


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print every difference; 0 when there is none left, else 1. Raises `PaymentsOff`, `StripeUnavailable`."""
    since = system_clock() - timedelta(days=arguments.days) if arguments.days else None
    async with open_core(settings) as core, open_paying(core, NOBODY_WAITS) as paying:
        if paying is None:
            raise PaymentsOff
        report = await paying.reconciliation.run(since, mend=arguments.mend)
    sys.stdout.writelines(line + "\n" for line in told(report))
    return 0 if report.is_clean else 1


def told(report: Report) -> list[str]:
    """The report for a person."""
    lines = [_difference(one) for one in report.differences]
    lines += [f"undelivered  {one.id}  {one.type}" for one in report.undelivered]
    lines += [f"given up     {one.event_id}  {one.type} after {one.attempts} attempts" for one in report.dead]
    mended = sum(one.mended for one in report.differences)
    summary = (
        f"{report.looked_at} objects, {len(report.differences)} differences, {mended} mended, "
        f"{len(report.undelivered)} events undelivered, {len(report.dead)} given up"
    )
    return [*lines, summary]


def _difference(one: Difference) -> str:
    end = "mended" if one.mended else f"not mended: {one.problem}" if one.problem else "differs"
    return f"{end}  {one.kind} {one.object_id}: {one.what}"
