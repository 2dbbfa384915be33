"""`footlight up`: the whole platform on this machine, from an empty folder to a web address.

Servers start together, then their schema is brought up to date, then come the nodes, the worker, the transcoder, the
live process, the edge, the sandbox for payments and the demo. Ctrl-C stops everything in reverse; nothing outlives us,
even when we are killed.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.errors import FootlightError
from infra.local.board import Board, open_board
from infra.local.demo_accounts import DemoAccount, demo_accounts
from infra.local.environment import Addresses, child_environment
from infra.local.folder import ENVIRONMENT_FILE, locked
from infra.local.memory import memory_megabytes
from infra.local.mongo import mongo_part
from infra.local.objects import PORTS as OBJECT_PORTS
from infra.local.objects import objects_part
from infra.local.parts import LOOPBACK, Part, alive, write_private
from infra.local.ports import PublicPorts, internal_ports, public_ports, web_listeners
from infra.local.postgres import postgres_part
from infra.local.sandbox import notice, sandbox_arguments, sandbox_environment
from infra.local.search import answers, search_part
from infra.local.supervisor import Stage, Supervisor
from infra.local.valkey import form_cluster, valkey_parts
from infra.logs import configure_logs
from infra.migrations.runner import migrate
from infra.settings import PostgresSettings, load_settings
from infra.stores.postgres import open_postgres

VALKEY_NODES = 3
NODE_STOP_SECONDS = 5.0  # requests in hand; with the servers' 4 s everything is over within 10
DEMO_FILE = "demo-accounts.json"


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What can be asked of `footlight up`. `rtmp_port` None means 1935, or another when that is taken."""

    data: Path
    port: int = 8000
    rtmp_port: int | None = None
    nodes: int = 2
    demo: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything decided before the first process starts."""

    stages: list[Stage]
    public: PublicPorts
    environment: Mapping[str, str]
    accounts: list[DemoAccount]
    sandbox_port: int | None  # None: payments are real

    @property
    def parts(self) -> list[Part]:
        return [part for stage in self.stages for part in stage.parts]


def run_up(options: UpOptions) -> int:
    """Run until Ctrl-C, SIGTERM or SIGHUP. Returns the exit status: 0, or 1 with a sentence that says what is wrong."""
    configure_logs("ERROR", "console", "up")  # the board tells the rest
    try:
        with locked(options.data) as folder:
            return asyncio.run(_up(options, folder))
    except FootlightError as problem:
        print(f"Footlight cannot start: {problem.message}", file=sys.stderr)  # noqa: T201  # a command's last word
        return 1


async def _up(options: UpOptions, folder: Path) -> int:
    began = time.monotonic()
    public = public_ports(options.port, options.rtmp_port)
    listeners = web_listeners(public.web)
    try:
        plan = make_plan(options, folder, public, tuple(listener.fileno() for listener in listeners))
        with open_board(plan.parts) as board:
            board.say(f"Starting Footlight in {folder} ...")
            return await _supervise(Supervisor(plan.stages, board), plan, board, folder, began)
    finally:
        for listener in listeners:
            listener.close()


async def _supervise(supervisor: Supervisor, plan: Plan, board: Board, folder: Path, began: float) -> int:
    stop = _told_to_stop()
    starting = asyncio.create_task(supervisor.start())
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            await starting  # raises what went wrong
            board.say(await asyncio.to_thread(_welcome, plan, folder, time.monotonic() - began))
            await waiting
        board.say("Stopping ...")
    finally:
        for task in (starting, waiting):
            task.cancel()
        await asyncio.wait({starting, waiting})
        ended = time.monotonic()
        await supervisor.stop()
        board.say(f"Everything is stopped ({time.monotonic() - ended:.1f} s). Your data is in {folder}.")
    return 0


def make_plan(options: UpOptions, folder: Path, public: PublicPorts, listeners: tuple[int, ...]) -> Plan:
    """Choose ports, prepare folders, and say what runs in which order."""
    ports = internal_ports(folder / "ports.json", _port_names(options.nodes), (public.web, public.edge, public.rtmp))
    servers, addresses = _servers(folder, ports)
    environment = child_environment(folder, public, addresses, os.environ)
    sandbox = sandbox_environment(folder / "sandbox", ports["sandbox"], environment)
    environment = {**environment, **sandbox}
    load_settings(environment)  # a bad variable is named now, and not in five logs
    write_private(folder / ENVIRONMENT_FILE, json.dumps(environment, indent=1))
    accounts = demo_accounts(folder / DEMO_FILE) if options.demo else []
    programs = _programs(options, folder, ports, listeners, environment)
    if sandbox:
        programs.append(_sandbox(folder, ports["sandbox"], public.web, environment))
    if options.demo:
        programs.append(_demo(folder, f"http://{LOOPBACK}:{public.web}", environment["FOOTLIGHT_FFMPEG"]))
    bus_ports = [ports[f"valkey-{index}-bus"] for index in range(VALKEY_NODES)]
    database = PostgresSettings(url=environment["FOOTLIGHT_POSTGRES_URL"])
    after_servers = partial(_prepare_servers, addresses.redis, bus_ports, database)
    stages = [Stage(servers, after_servers), Stage(programs)]
    return Plan(stages, public, environment, accounts, ports["sandbox"] if sandbox else None)


def _port_names(nodes: int) -> list[str]:
    valkey = [name for index in range(VALKEY_NODES) for name in (f"valkey-{index}", f"valkey-{index}-bus")]
    objects = [f"objects-{index}" for index in range(OBJECT_PORTS)]
    return [
        "postgres",
        *valkey,
        "mongo",
        "search",
        *objects,
        "origin",
        "sandbox",
        *(f"node-{n + 1}" for n in range(nodes)),
    ]


def _servers(folder: Path, ports: Mapping[str, int]) -> tuple[list[Part], Addresses]:
    postgres, postgres_url = postgres_part(folder / "postgres", ports["postgres"])
    valkey, redis_urls = valkey_parts(
        folder / "valkey",
        [ports[f"valkey-{index}"] for index in range(VALKEY_NODES)],
        [ports[f"valkey-{index}-bus"] for index in range(VALKEY_NODES)],
    )
    mongo, mongo_url = mongo_part(folder / "mongo", ports["mongo"])
    objects, objects_settings = objects_part(
        folder / "objects", [ports[f"objects-{index}"] for index in range(OBJECT_PORTS)]
    )
    search, search_url = search_part(folder / "search", ports["search"])
    addresses = Addresses(postgres_url, redis_urls, mongo_url, search_url, objects_settings, ports["origin"])
    return [postgres, *valkey, mongo, objects, search], addresses


async def _prepare_servers(redis_urls: list[str], bus_ports: list[int], database: PostgresSettings) -> None:
    await form_cluster(redis_urls, bus_ports)
    async with open_postgres(database) as db:
        await migrate(db)


def _programs(
    options: UpOptions, folder: Path, ports: Mapping[str, int], listeners: tuple[int, ...], env: Mapping[str, str]
) -> list[Part]:
    """Our own processes. The nodes accept from the same listening sockets; their own ports are for health checks."""
    descriptors = [word for number in listeners for word in ("--fd", str(number))]
    nodes = [
        _own(
            f"node-{number}", ("serve", "--role", "all", *descriptors, "--port", str(ports[f"node-{number}"])),
            folder, env, f"http://{LOOPBACK}:{ports[f'node-{number}']}/readyz", listeners,
        )
        for number in range(1, options.nodes + 1)
    ]  # fmt: skip
    origin = f"http://{LOOPBACK}:{ports['origin']}/livez"
    edge = f"http://{LOOPBACK}:{env['FOOTLIGHT_EDGE_PORT']}/livez"
    worker = _own("worker", ("worker",), folder, env, None)
    transcoder = _own("transcoder", ("transcode",), folder, env, None)
    live = _own("live", ("live",), folder, env, origin)
    return [*nodes, worker, transcoder, live, _own("edge", ("edge",), folder, env, edge)]


def _own(
    name: str,
    arguments: tuple[str, ...],
    folder: Path,
    environment: Mapping[str, str],
    health: str | None,
    listeners: tuple[int, ...] = (),
) -> Part:
    return Part(
        name=name,
        command=(sys.executable, "-m", "gateway", *arguments),
        folder=folder / name,
        address=health.split("/")[2] if health else "",
        ready=answers(health) if health else alive,
        environment={**environment, "FOOTLIGHT_NODE": name},
        stop_seconds=NODE_STOP_SECONDS,
        inherited=listeners,
    )


def _sandbox(folder: Path, port: int, web: int, environment: Mapping[str, str]) -> Part:
    arguments = sandbox_arguments(folder / "sandbox", port, web)
    return _own("sandbox", arguments, folder, environment, f"http://{LOOPBACK}:{port}/livez")


def _demo(folder: Path, web: str, ffmpeg: str) -> Part:
    arguments = ("--web", web, "--accounts", str(folder / DEMO_FILE), "--ffmpeg", ffmpeg)
    return Part(
        name="demo", command=(sys.executable, "-m", "infra.local.demo", *arguments), folder=folder / "demo", address="",
        ready=alive, essential=False,
    )  # fmt: skip


def _welcome(plan: Plan, folder: Path, seconds: float) -> str:
    megabytes = memory_megabytes([os.getpid()])[os.getpid()]
    lines = [
        "",
        f"Footlight is ready after {seconds:.1f} s and takes {megabytes:.0f} MB of memory.",
        "",
        f"  Open      {plan.environment['FOOTLIGHT_PUBLIC_URL']}",
        f"  Publish   {plan.environment['FOOTLIGHT_RTMP_URL']} (a stream key comes with each stream)",
        f"  Payments  {notice(plan.sandbox_port)}",
        f"  Data      {folder}",
        f"  Logs      {folder}/*/log and {folder}/valkey/*/log",
    ]
    if plan.public.notice:
        lines.append(f"  Note      {plan.public.notice}")
    if plan.accounts:
        shown = [account for account in plan.accounts if account.part != "chatter"]
        lines += ["", "  Demo accounts, in a room with a demo stream:"]
        lines += [f"    {account.part:8} {account.email:36} {account.password}" for account in shown]
    return "\n".join([*lines, "", "Press Ctrl-C to stop.", ""])


def _told_to_stop() -> asyncio.Event:
    """Set by Ctrl-C, SIGTERM and SIGHUP (a closed terminal)."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
