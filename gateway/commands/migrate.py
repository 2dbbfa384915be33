"""`footlight migrate`: bring the database schema up to date."""

import argparse
import sys

from infra.migrations.runner import migrate
from infra.settings import Settings
from infra.stores.postgres import open_postgres


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Apply what is missing and say what was."""
    async with open_postgres(settings.postgres) as db:
        applied = await migrate(db)
    sys.stdout.write("".join(f"applied {script}\n" for script in applied) or "The schema is up to date.\n")
    return 0
