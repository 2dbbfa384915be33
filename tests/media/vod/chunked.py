"""`footlight transcode` that cuts videos of a few seconds into chunks, as it else does with those of over 5 minutes."""

import argparse
import asyncio
import os
import sys
from functools import partial

from gateway.commands.transcode import run
from infra.logs import configure_logs
from infra.settings import load_settings
from media.vod.ladder import plan

if __name__ == "__main__":
    configure_logs("INFO", "console", "transcode")
    short = partial(plan, chunk_over_seconds=4.0, chunk_seconds=4.0)
    sys.exit(asyncio.run(run(argparse.Namespace(), load_settings(os.environ), planner=short)))
