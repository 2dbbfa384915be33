"""`make bench`: starts a platform and prints the project's figures as tables, with how they were made.

python -m loadtest.bench                 everything
python -m loadtest.bench glass api       only these
python -m loadtest.bench realtime --quick --rows killed,idle   some of the real-time figures, with few clients
"""

import argparse
import asyncio
import os
import platform as machine
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from infra.local.environment import find_ffmpeg
from loadtest import (
    api_speed,
    automod,
    glass,
    rights,
    room_operation,
    search,
    start_up,
    stripe_away,
    web_chat,
    webhooks,
)
from loadtest.realtime import rows as realtime
from loadtest.stack import Stack, platform
from loadtest.vod import sending, watching

NAMES = (
    "start", "api", "glass", "web-chat", "realtime", "automod", "room-operation", "search", "videos", "sending",
    "webhooks", "rights", "stripe-away",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the project's figures.")
    parser.add_argument("which", nargs="*", choices=(*NAMES, []), help="default: all")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the watching is measured")
    parser.add_argument("--quick", action="store_true", help="the real-time figures with a few hundred clients")
    parser.add_argument(
        "--rows", type=_rows, default=(), help=f"only these of the real-time figures: {','.join(realtime.MEASURES)}"
    )
    arguments = parser.parse_args()
    asyncio.run(bench(arguments.which or list(NAMES), arguments.seconds, arguments.rows, quick=arguments.quick))


def _rows(words: str) -> list[str]:
    names = words.split(",")
    if unknown := [name for name in names if name not in realtime.MEASURES]:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r} among {', '.join(realtime.MEASURES)}")
    return names


def _on_a_platform(
    which: list[str], seconds: float
) -> Iterator[tuple[Callable[[Stack], Awaitable[str]], Mapping[str, str]]]:
    """Those that need a whole platform of their own, and the settings that it needs."""
    if "api" in which:
        yield partial(api_speed.measure, seconds=min(seconds, 40.0)), {}
    if "videos" in which:
        yield watching.measure, {}
    if "sending" in which:
        yield sending.measure, {}
    if "webhooks" in which:
        yield webhooks.measure, webhooks.ENVIRONMENT
    if "rights" in which:
        yield rights.measure, {}
    if "stripe-away" in which:
        yield stripe_away.measure, {}


async def bench(which: list[str], seconds: float, rows: Sequence[str] = (), *, quick: bool = False) -> None:
    now = datetime.now(UTC)
    print(f"Measured {now:%Y-%m-%d}, {os.cpu_count()} cores, Python {machine.python_version()}, loopback only.\n")
    if "start" in which:
        print(await start_up.measure(), flush=True)
    if "automod" in which:
        print(automod.measure(), flush=True)
    if "room-operation" in which:
        print(await room_operation.measure(min(seconds, 15.0)), flush=True)
    for measure, environment in _on_a_platform(which, seconds):
        async with platform(environment=environment) as stack:
            print(await measure(stack), flush=True)
    if "search" in which:
        print(await search.measure(), flush=True)
    if "realtime" in which:
        print(await realtime.measure(rows, quick=quick), flush=True)
    if {"glass", "web-chat"} & set(which) and shutil.which(glass.CHROMIUM) is None:
        sys.exit("Glass to glass and the web chat need Chromium at " + glass.CHROMIUM)
    if "web-chat" in which:
        print(await web_chat.measure(min(seconds, 60.0)), flush=True)
    if "glass" in which:
        async with platform() as stack:
            print(await glass.measure(stack, find_ffmpeg(), seconds), flush=True)


if __name__ == "__main__":
    main()
