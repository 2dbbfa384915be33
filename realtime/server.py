"""The real-time node: which events there are, who handles them, and how the parts are put together.

    room:join      -> RoomHandlers.join     read what was missed, then hear everything
    room:leave     -> RoomHandlers.leave
    room:chatters  -> ChattersHandlers.who_is_here
    chat:send      -> ChatHandlers.send     past AutoMod into the room's log, and from there to every node
    chat:command   -> CommandHandlers       a line with a slash, handed to the event it stands for
    studio:*       -> Studio                how the making of one's own videos goes
    mod:*, poll:*, chat:react -> realtime/desk.py names their handlers

`open_realtime` is the only way in. One door for the wire (`Node.opened`, `heard`, `gone`), one place where errors
become acknowledgements (`Node.heard`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec

from accounts.cookies import ACCESS_COOKIE, read_cookies
from accounts.model import Identity
from infra.bus.port import Bus, Subscription
from infra.clock import Clock, new_id, system_clock
from infra.errors import FootlightError, Invalid, Unauthenticated, Unavailable
from infra.logs import correlated, get_logger
from infra.metrics import Metrics
from infra.settings import RealtimeSettings, RedisSettings
from infra.stores.redis import Redis
from realtime.accounts import follow_accounts
from realtime.cluster import open_channels
from realtime.connections import Connection, Connections
from realtime.disconnects import MISBEHAVED
from realtime.drain import drain
from realtime.errors import EventsTooFast, UnknownEvent
from realtime.events import CLIENT_EVENTS, Auth, Refusal
from realtime.handlers.chat import ChatHandlers
from realtime.handlers.chatters import ChattersHandlers
from realtime.handlers.room import RoomHandlers
from realtime.handlers.standing import Standings
from realtime.handlers.studio import Studio, follow_progress
from realtime.moderating import Handler, Moderating, Unmoderated
from realtime.nodes import Nodes
from realtime.ports import Identify, StreamLookup, ViewerCounts
from realtime.rechecking import Recheck, Rechecking
from realtime.room.local import Room
from realtime.room.log_redis import RedisRoomLog, room_functions
from realtime.room.people import People
from realtime.room.presence import DEFAULT_TIMING, Presence, Timing, presence_functions
from realtime.room.rooms import Rooms
from realtime.room.streams import Streams
from realtime.status import follow_streams
from realtime.wire.door import Door
from realtime.wire.engine import App, Engine
from realtime.wire.places import Places
from realtime.wire.relay import OwnSessions, Relay
from realtime.wire.server import SocketServer
from realtime.wire.socket import EngineSocket

DRAIN_SECONDS = 4.0
MAX_REFUSED_IN_A_ROW = 100
DEFAULT_LIMITS = RealtimeSettings()

log = get_logger(__name__)


class Node:
    """Everything a client can do here (see `realtime.wire.server.Application`)."""

    def __init__(
        self,
        identify: Identify,
        connections: Connections,
        rooms: RoomHandlers,
        handlers: Mapping[str, Handler],
        count_heard: Callable[[], object],
    ) -> None:
        self._identify = identify
        self._connections = connections
        self._rooms = rooms
        self._count_heard = count_heard
        decoders = {event.name: msgspec.json.Decoder(event.body) for event in CLIENT_EVENTS}
        self._events = {name: (decoders[name], handle) for name, handle in handlers.items()}

    async def opened(self, sid: str, socket: EngineSocket, cookies: str, auth: msgspec.Raw | None) -> None:
        sent = _decode(msgspec.json.Decoder(Auth), auth if auth is not None else b"{}")
        moment = self._connections.moment
        try:
            identity = await self._who(sent.token, cookies)
        except Unavailable as failure:  # which part it was is for our logs, not for clients
            log.info("connect.unavailable", code=failure.code)
            raise Unavailable from failure
        self._connections.add(Connection(sid, socket, identity, sent.device), since=moment)

    async def heard(self, sid: str, name: str, body: msgspec.Raw | None) -> bytes:
        self._count_heard()
        who = self._connections.find(sid)
        if who is None:  # it is being dismissed
            return msgspec.json.encode(Refusal(error=Unavailable().as_dict()))
        with correlated(new_id(), event=name, sid=sid):
            try:
                return msgspec.json.encode(await self._handle(who, name, body))
            except Unavailable as failure:  # which part it was is for our logs, not for clients
                log.info("event.unavailable", code=failure.code)
                return msgspec.json.encode(Refusal(error=Unavailable().as_dict()))
            except FootlightError as refused:
                return msgspec.json.encode(Refusal(error=refused.as_dict()))
            except Exception:  # the edge: whatever is wrong with us, the client gets an answer
                log.exception("event.failed")
                return msgspec.json.encode(Refusal(error=FootlightError().as_dict()))

    async def gone(self, sid: str, reason: str) -> None:
        who = self._connections.find(sid)
        if who is not None:
            for stream_id in tuple(who.rooms):
                self._rooms.left(who, stream_id)
            self._connections.remove(who)
            log.debug("socket.gone", sid=sid, reason=reason)

    async def _handle(self, who: Connection, name: str, body: msgspec.Raw | None) -> Any:
        try:
            who.bucket.take(asyncio.get_running_loop().time())
        except EventsTooFast:
            if who.bucket.refused >= MAX_REFUSED_IN_A_ROW:
                who.socket.dismiss(MISBEHAVED)
            raise
        if name not in self._events:
            raise UnknownEvent(event=name[:64])
        decoder, handle = self._events[name]
        return await handle(who, _decode(decoder, body if body is not None else b"null"))

    async def _who(self, token: str | None, cookies: str) -> Identity | None:
        if token:
            return await self._identify(token)
        try:
            cookie = read_cookies([cookies]).get(ACCESS_COOKIE)
            return await self._identify(cookie) if cookie else None
        except Unauthenticated:
            return None  # a browser sends a cookie whether it still holds or not


def _decode(decoder: msgspec.json.Decoder[Any], body: msgspec.Raw | bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as wrong:
        raise Invalid(reason=str(wrong)[:200]) from None


class Realtime:
    """A running node. `app` is the ASGI app of `/socket.io`, `private_app` the one for other nodes."""

    def __init__(  # its parts, put together below
        self,
        app: App,
        private_app: App,
        nodes: Nodes,
        viewers: ViewerCounts,
        connections: Connections,
        rooms: Rooms,
        engine: Engine,
    ) -> None:
        self.app = app
        self.private_app = private_app
        self._nodes = nodes
        self.viewers = viewers
        self.engine = engine
        self._connections = connections
        self._rooms = rooms

    @property
    def connections(self) -> int:
        """Clients connected to this node."""
        return len(self._connections)

    def room(self, stream_id: str) -> Room | None:
        """The room, while it has members on this node."""
        return self._rooms.find(stream_id)

    def reachable(self, host: str, port: int) -> AbstractAsyncContextManager[None]:
        """While the block runs, other nodes pass on what belongs here to `private_app` at this address."""
        return self._nodes.announced(self.engine.name, host, port)

    async def drain(self, within_seconds: float = DRAIN_SECONDS) -> None:
        """Tell clients to move, in batches and spread over time; those still here when it is over are closed."""
        told = await drain(self._connections, self._rooms.place_of, within_seconds)
        log.info("realtime.drained", clients=told)


def _handlers(
    rooms: Rooms,
    entering: RoomHandlers,
    people: ChattersHandlers,
    moderating: Moderating,
    studio: Studio,
    clock: Clock,
) -> dict[str, Handler]:
    """Who handles which event."""
    chat = ChatHandlers(rooms, moderating, clock)
    return {
        "room:join": entering.join,
        "room:leave": entering.leave,
        "room:chatters": people.who_is_here,
        "chat:send": chat.send,
        "studio:watch": studio.watch,
        "studio:unwatch": studio.unwatch,
        **moderating.handlers(rooms, chat),
    }


async def _following(
    bus: Bus, snapshots: Streams, connections: Connections, entering: RoomHandlers, studio: Studio
) -> list[Subscription]:
    """What a node hears from the bus."""
    return [
        await follow_streams(bus, snapshots),
        await follow_accounts(bus, connections, entering.identity_changed),
        await follow_progress(bus, studio),
    ]


@asynccontextmanager
async def open_realtime(  # noqa: PLR0913  # the one place where all of it comes together, by keyword
    *,
    redis: Redis,
    redis_settings: RedisSettings,
    bus: Bus,
    identify: Identify,
    streams: StreamLookup,
    origins: Sequence[str],
    node: str,
    metrics: Metrics,
    clock: Clock = system_clock,
    timing: Timing = DEFAULT_TIMING,
    limits: RealtimeSettings = DEFAULT_LIMITS,
    moderating: Moderating | None = None,
    recheck: Recheck | None = None,
) -> AsyncIterator[Realtime]:
    """Start a node; leaving the block closes its clients, rooms and subscriptions. `node` names it in logs.

    Without `moderating` its rooms belong to no channel: nobody is banned, held or in command there. Without `recheck`
    who loses a right is put out of premium rooms only when the bus tells of it.
    """
    functions, counting = room_functions(redis), presence_functions(redis)
    connections, presence, nodes = Connections(clock), Presence(counting, timing), Nodes(redis)
    moderating = moderating or Unmoderated(RedisRoomLog(functions))
    snapshots, room_log = Streams(redis, functions, streams), moderating.room_log
    metrics.sockets.set_function(lambda: len(connections))
    async with open_channels(redis, redis_settings) as channels:
        count_sent, count_heard = (metrics.room_messages.labels(way).inc for way in ("out", "in"))
        rooms = Rooms(channels, room_log, snapshots, count_sent, Standings(connections, presence), clock, limits)
        entering, studio = RoomHandlers(rooms, presence), Studio(connections)
        handlers = _handlers(rooms, entering, ChattersHandlers(People(counting)), moderating, studio, clock)
        sockets = SocketServer(Node(identify, connections, entering, handlers, count_heard))
        engine: Engine = sockets.eio
        places = engine.places = Places(limits.sockets, limits.sockets_per_address)
        following = await _following(bus, snapshots, connections, entering, studio)
        work = [presence.run(), connections.run(), rooms.watch(), *moderating.running(rooms)]
        if recheck is not None:
            work.append(Rechecking(connections, rooms, entering, recheck).run())
        log.info("realtime.open", node=node)
        async with (
            _alive(following, work, connections, rooms, sockets),
            Relay(sockets.handle_request, engine.name, nodes.address_of, places) as relay,
        ):
            private = OwnSessions(sockets.handle_request, engine.name)
            public_door, own_door = Door(relay, origins, ACCESS_COOKIE), Door(private, origins, ACCESS_COOKIE)
            yield Realtime(public_door, own_door, nodes, presence, connections, rooms, engine)


@asynccontextmanager
async def _alive(
    following: Sequence[Subscription],
    work: Sequence[Coroutine[Any, Any, None]],
    connections: Connections,
    rooms: Rooms,
    sockets: SocketServer,
) -> AsyncIterator[None]:
    """Work as long as the block runs, then close everything in its order."""
    running = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for subscription in following:
            await subscription.close()
        await drain(connections, rooms.place_of, 0.0)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await rooms.close()
        await sockets.eio.stop()
