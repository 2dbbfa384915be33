"""`make bench`: starts a platform and prints the project's figures as tables, with how they were made.

python -m loadtest.bench                 everything
python -m loadtest.bench glass api       only these
"""

import argparse
import asyncio
import os
import platform as machine
import shutil
import sys
from datetime import UTC, datetime

from infra.local.environment import find_ffmpeg
from loadtest import api_speed, glass, start_up
from loadtest.stack import platform

NAMES = ("start", "api", "glass")


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the project's figures.")
    parser.add_argument("which", nargs="*", choices=(*NAMES, []), help="default: all")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the watching is measured")
    arguments = parser.parse_args()
    asyncio.run(bench(arguments.which or list(NAMES), arguments.seconds))


async def bench(which: list[str], seconds: float) -> None:
    now = datetime.now(UTC)
    print(f"Measured {now:%Y-%m-%d}, {os.cpu_count()} cores, Python {machine.python_version()}, loopback only.\n")
    if "start" in which:
        print(await start_up.measure(), flush=True)
    if "api" in which:
        async with platform() as stack:
            print(await api_speed.measure(stack, min(seconds, 40.0)), flush=True)
    if "glass" in which:
        if shutil.which(glass.CHROMIUM) is None:
            sys.exit("Glass to glass needs Chromium at " + glass.CHROMIUM)
        async with platform() as stack:
            print(await glass.measure(stack, find_ffmpeg(), seconds), flush=True)


if __name__ == "__main__":
    main()
