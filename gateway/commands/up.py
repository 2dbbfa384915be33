"""`footlight up`: everything on this machine, with embedded servers."""

import argparse

from infra.local.up import UpOptions, run_up


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C; needs no settings, it makes them."""
    return run_up(
        UpOptions(
            arguments.data, arguments.port, arguments.rtmp_port, nodes=arguments.nodes, demo=not arguments.no_demo
        )
    )
