"""`footlight keys`: the keys that sign tokens."""

import argparse
import asyncio
import sys

from accounts.keys import Keys
from infra.settings import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """List them; before that, add one or remove those that no living token needs."""
    folder = Keys(settings.auth.keys)
    if arguments.action == "rotate":
        sys.stdout.write(f"added {await asyncio.to_thread(folder.rotate)}\n")
    if arguments.action == "retire":
        sys.stdout.write("".join(f"removed {kid}\n" for kid in await asyncio.to_thread(folder.retire)))
    sys.stdout.write("".join(f"{kid}\n" for kid in await asyncio.to_thread(folder.ids)))
    return 0
