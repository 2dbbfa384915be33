"""The `footlight` command: one verb for each thing an operator does.

Every process of the platform is started here with the settings of the environment; `footlight up` runs all of them on
this machine with embedded servers.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import uvloop

from accounts.model import Role
from infra.errors import FootlightError
from infra.local.folder import environment_of
from infra.logs import configure_logs
from infra.settings import Settings, example, load_settings

Command = Callable[[argparse.Namespace, Settings], Coroutine[Any, Any, int]]

OPERATOR_COMMANDS = ("migrate", "doctor", "grant", "keys", "reindex", "stripe", "ledger")


def main() -> None:
    """Parse, run, exit: 0 done, 1 failed, 2 wrong usage."""
    arguments = parser().parse_args()
    try:
        sys.exit(_run(arguments))
    except FootlightError as failure:
        sys.exit(f"{failure.message} ({failure.code})" + (f" {failure.details}" if failure.details else ""))
    except KeyboardInterrupt:
        sys.exit(130)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "up":
        status: int = import_module("gateway.commands.up").run(arguments)
        return status
    if arguments.command == "sandbox":
        served: int = import_module("gateway.commands.sandbox").run(arguments)
        return served
    if arguments.command == "settings":
        sys.stdout.write(example())
        return 0
    if arguments.command == "events":
        written: int = import_module("gateway.commands.events").run(arguments)
        return written
    # An operator's command beside `footlight up` needs no settings of its own; what is set outside wins.
    beside = environment_of(arguments.data) if arguments.command in OPERATOR_COMMANDS else {}
    settings = load_settings({**beside, **os.environ})
    if arguments.command in OPERATOR_COMMANDS:
        configure_logs("ERROR", "console", arguments.command)  # a person reads this
    else:
        configure_logs(settings.logs.level, settings.logs.style, os.environ.get("FOOTLIGHT_NODE", arguments.command))
    # Imported by name: a process loads only what it runs (an edge starts in a second, a node needs three).
    command: Command = import_module(f"gateway.commands.{arguments.command}").run
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(command(arguments, settings))


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(prog="footlight", description="A real-time-first video streaming platform.")
    verbs = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = verbs.add_parser("up", help="run everything here, on embedded servers")
    up.add_argument(
        "--data", type=Path, default=Path(os.environ.get("FOOTLIGHT_DATA", ".footlight")), help="data folder"
    )
    up.add_argument("--port", type=int, default=8000, help="port of the web address; the edge takes the next one")
    up.add_argument("--rtmp-port", type=int, default=None, help="port encoders publish to (1935 when free)")
    up.add_argument("--nodes", type=int, default=2, help="real-time nodes behind the one port")
    up.add_argument("--no-demo", action="store_true", help="start without demo accounts and stream")

    serve = verbs.add_parser("serve", help="run one node of the API, the real-time server, or both")
    serve.add_argument("--role", choices=("all", "http", "realtime"), default="all")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000, help="port of this node")
    serve.add_argument(
        "--fd", type=int, action="append", default=[], help="a listening socket inherited from the parent"
    )

    verbs.add_parser("worker", help="run background work: the outbox, the sweeper of streams")
    verbs.add_parser("transcode", help="make videos of what was uploaded")
    verbs.add_parser("live", help="take streams in by RTMP and package them")
    verbs.add_parser("edge", help="cache and serve playlists and segments")
    _add_data(verbs.add_parser("migrate", help="bring the database schema up to date"))
    _add_data(verbs.add_parser("doctor", help="ask every store and say what is wrong"))
    _add_data(verbs.add_parser("reindex", help="build the search index of videos anew, without a pause"))
    verbs.add_parser("settings", help="print every setting with its default")

    events = verbs.add_parser("events", help="print the AsyncAPI document of the socket")
    events.add_argument("--write", action="store_true", help="write it, its tables and types into this source tree")

    grant = verbs.add_parser("grant", help="give an account a role")
    _add_data(grant)
    grant.add_argument("email")
    grant.add_argument("role", choices=get_args(Role))

    keys = verbs.add_parser("keys", help="list, rotate or retire the keys that sign tokens")
    _add_data(keys)
    keys.add_argument("action", choices=("list", "rotate", "retire"))

    _add_money(verbs)
    return root


def _add_money(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ledger = verbs.add_parser("ledger", help="check that the books add up")
    _add_data(ledger)
    ledger.add_argument("action", choices=("check",))

    stripe = verbs.add_parser("stripe", help="compare payments with Stripe")
    _add_data(stripe)
    stripe.add_argument("action", choices=("reconcile",))
    stripe.add_argument("--mend", action="store_true", help="make ours what Stripe's is")
    stripe.add_argument("--days", type=int, default=35, help="objects made since then (0: all)")

    _add_sandbox(verbs.add_parser("sandbox", help="stand in for Stripe: no money moves"))


def _add_sandbox(sandbox: argparse.ArgumentParser) -> None:
    sandbox.add_argument("--port", type=int, default=12111, help="port of the API and the pages")
    sandbox.add_argument("--host", default="127.0.0.1")
    file = Path(os.environ.get("FOOTLIGHT_DATA", ".footlight")) / "sandbox" / "state.sqlite"
    sandbox.add_argument("--data", type=Path, default=file, help="file of its state")
    sandbox.add_argument("--public-url", default="", help="where people open its pages")
    sandbox.add_argument("--webhook-url", default="", help="who is told of events")
    sandbox.add_argument(
        "--webhook-secret-env",
        default="FOOTLIGHT_STRIPE_WEBHOOK_SECRETS",
        metavar="NAME",
        help="variable with the secret that events are signed with",
    )
    sandbox.add_argument(
        "--key-env",
        default="FOOTLIGHT_STRIPE_SECRET_KEY",
        metavar="NAME",
        help="variable with the only key that is taken; unset: any test key",
    )
    sandbox.add_argument("--anywhere", action="store_true", help="listen on an address that others can reach")


def _add_data(command: argparse.ArgumentParser) -> None:
    default = Path(os.environ.get("FOOTLIGHT_DATA", ".footlight"))
    command.add_argument("--data", type=Path, default=default, help="data folder of `footlight up`")
