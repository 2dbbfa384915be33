"""What each verb of the `footlight` command does. All return an exit status."""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack

from media.live.process import LiveProcess

from accounts.keys import Keys
from gateway.app import create_app
from gateway.doctor import examine
from gateway.platform import Core, open_core, open_platform, running, web_origins
from gateway.serving import inherited, listen, stop_on_signals
from gateway.serving import serve as serve_app
from infra.bus.port import Message
from infra.clock import system_clock
from infra.logs import get_logger
from infra.migrations.runner import migrate as apply_migrations
from infra.settings import Settings
from infra.stores.postgres import open_postgres
from media.delivery.edge import open_edge
from media.events import StreamEnded, StreamKeyReset
from media.live.sweeper import Sweeper

log = get_logger(__name__)


async def serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """A node: API, real-time server, pages."""
    stop = stop_on_signals()
    async with open_platform(settings) as platform:
        app, health = create_app(
            platform, with_http=arguments.role != "realtime", with_realtime=arguments.role != "http"
        )

        async def before_stop() -> None:
            health.draining = True
            await platform.realtime.drain()

        sockets = [inherited(number) for number in arguments.fd] + [listen(arguments.host, arguments.port)]
        log.info("node.started", port=arguments.port, role=arguments.role)
        await serve_app(app, sockets, stop, before_stop)
    return 0


async def worker(_: argparse.Namespace, settings: Settings) -> int:
    """Background work: the relay comes with the core, the sweeper runs here."""
    stop = stop_on_signals()
    async with open_core(settings) as core, running(Sweeper(core.streams).run()):
        log.info("worker.started")
        await stop.wait()
    return 0


async def live(_: argparse.Namespace, settings: Settings) -> int:
    """Ingest, packager and origin."""
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings))
        process = LiveProcess(core.streams, settings.live, clock=system_clock)
        await process.start()
        stack.push_async_callback(process.close)
        await _drop_what_ended(core, process)
        log.info("live.started", rtmp=settings.live.rtmp_port, origin=settings.live.origin_port)
        await serve_app(process.origin, [listen(settings.live.origin_host, settings.live.origin_port)], stop, nothing)
    return 0


async def _drop_what_ended(core: Core, process: LiveProcess) -> None:
    async def heard(message: Message) -> None:
        if message.topic == StreamEnded.topic:
            ended = StreamEnded.from_message(message)
            await process.drop(ended.stream_id, ended.reason)
        else:
            await process.drop(StreamKeyReset.from_message(message).stream_id, "key_reset")

    await core.bus.listen([StreamEnded.topic, StreamKeyReset.topic], heard)


async def edge(_: argparse.Namespace, settings: Settings) -> int:
    """The cache in front of the origin."""
    stop = stop_on_signals()
    async with open_edge(settings.live, web_origins(settings)) as app:
        log.info("edge.started", port=settings.live.edge_port)
        await serve_app(app, [listen(settings.live.edge_host, settings.live.edge_port)], stop, nothing)
    return 0


async def nothing() -> None:
    """There is nothing to do before this stops."""


async def migrate(_: argparse.Namespace, settings: Settings) -> int:
    """Bring the schema up to date."""
    async with open_postgres(settings.postgres) as db:
        applied = await apply_migrations(db)
    sys.stdout.write("".join(f"applied {script}\n" for script in applied) or "The schema is up to date.\n")
    return 0


async def grant(arguments: argparse.Namespace, settings: Settings) -> int:
    """Give an account a role; open sockets and sessions take it over at once."""
    async with open_core(settings) as core:
        user = await core.accounts.grant(arguments.email, arguments.role)
    sys.stdout.write(f"{user.email} is {user.role} now.\n")
    return 0


async def keys(arguments: argparse.Namespace, settings: Settings) -> int:
    """List, add or remove signing keys."""
    folder = Keys(settings.auth.keys, clock=system_clock)
    if arguments.action == "rotate":
        sys.stdout.write(f"added {await asyncio.to_thread(folder.rotate)}\n")
    if arguments.action == "retire":
        sys.stdout.write("".join(f"removed {kid}\n" for kid in await asyncio.to_thread(folder.retire)))
    sys.stdout.write("".join(f"{kid}\n" for kid in await asyncio.to_thread(folder.ids)))
    return 0


async def doctor(_: argparse.Namespace, settings: Settings) -> int:
    """Ask every store; explain what is wrong."""
    findings = await examine(settings)
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    return 0 if all(finding.ok for finding in findings) else 1
