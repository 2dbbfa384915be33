"""`footlight doctor`: say what is wrong."""

import argparse
import sys

from gateway.doctor import examine
from infra.settings import Settings


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """A line for each thing we stand on; 1 when one is missing."""
    findings = await examine(settings)
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    return 0 if all(finding.ok for finding in findings) else 1
