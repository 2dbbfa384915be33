"""`footlight events`: the socket's contract, printed as AsyncAPI or written to every file made from it."""

import argparse
import sys
from pathlib import Path

from realtime.contract.files import GUIDE, asyncapi, write


def run(arguments: argparse.Namespace) -> int:
    """0 done, 1 when there is no source tree to write to."""
    if not arguments.write:
        sys.stdout.write(asyncapi())
        return 0
    if not GUIDE.exists():
        sys.stderr.write(f"There is no {GUIDE} here. Run this at the top of Footlight's source.\n")
        return 1
    for path in write(Path()):
        sys.stdout.write(f"{path}\n")
    return 0
