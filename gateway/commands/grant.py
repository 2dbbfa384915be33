"""`footlight grant`: the only way to make an admin."""

import argparse
import sys

from gateway.core import open_core
from infra.settings import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Give an account a role; open sockets and sessions take it over at once."""
    async with open_core(settings) as core:
        user = await core.accounts.grant(arguments.email, arguments.role)
    sys.stdout.write(f"{user.email} is {user.role} now.\n")
    return 0
