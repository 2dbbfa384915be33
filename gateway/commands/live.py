"""`footlight live`: takes streams in by RTMP, packages them, and is the origin the edge asks."""

import argparse
from contextlib import AsyncExitStack

from gateway.core import Core, open_core
from gateway.serving import listen, nothing_before, serve, stop_on_signals
from infra.bus.port import Message
from infra.clock import system_clock
from infra.logs import get_logger
from infra.settings import Settings
from infra.stores.objects import open_objects
from media.events import StreamEnded, StreamKeyReset
from media.live.process import LiveProcess
from media.recording.open import open_recorder

log = get_logger(__name__)


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Take streams until told to stop; encoders are disconnected and may return to our successor."""
    stop, live = stop_on_signals(), settings.live
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings))
        objects = await stack.enter_async_context(open_objects(settings.objects))
        recorder = await stack.enter_async_context(open_recorder(live, core.db, objects, system_clock))
        process = LiveProcess(core.streams, live, system_clock, recorder)
        await process.start()
        stack.push_async_callback(process.close)
        await _drop_what_ended(core, process)
        log.info("live.started", rtmp=live.rtmp_port, origin=live.origin_port)
        await serve(process.origin, [listen(live.origin_host, live.origin_port)], stop, nothing_before)
    return 0


async def _drop_what_ended(core: Core, process: LiveProcess) -> None:
    async def heard(message: Message) -> None:
        if message.topic == StreamEnded.topic:
            ended = StreamEnded.from_message(message)
            await process.drop(ended.stream_id, ended.reason)
        else:
            await process.drop(StreamKeyReset.from_message(message).stream_id, "key_reset")

    await core.bus.listen([StreamEnded.topic, StreamKeyReset.topic], heard)
