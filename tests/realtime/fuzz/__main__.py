"""`python -m tests.realtime.fuzz --frames 1000000 [--seed 1]`: the long run of the parser against `wsproto`."""

# ruff: noqa: T201  # a command prints
import argparse
import secrets
import sys
import time

from realtime.wire.websocket import Parser
from tests.realtime.fuzz.compare import Parted, run


def main() -> int:
    arguments = argparse.ArgumentParser(description="Compare our WebSocket parser with wsproto on random bytes.")
    arguments.add_argument("--frames", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=None, help="the same seed gives the same bytes")
    chosen = arguments.parse_args()
    seed = secrets.randbits(31) if chosen.seed is None else chosen.seed
    print(f"seed {seed}")
    begun = time.monotonic()
    try:
        tally = run(Parser, seed, chosen.frames)
    except Parted as wrong:
        print(f"PARTED: {wrong}")
        return 1
    for name, count in sorted(tally.items()):
        print(f"{count:>12,}  {name}")
    print(f"{time.monotonic() - begun:>12.1f}  seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
