"""The HTTP API as one Litestar app: its route table, and what every route shares."""

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import SerializationException

from accounts.accounts import Accounts
from api import identity
from api.auth import AuthController
from api.emotes import EmoteController
from api.errors import HANDLERS, AnyRequest, MalformedJson, WrongContentType
from api.openapi import complete_document, openapi_config
from api.streams import StreamController
from api.timeline import TimelineController
from api.wellknown import public_keys
from infra.settings import Settings
from media.live.charts import Charts
from media.live.streams import Streams
from realtime.channel_emotes import ChannelEmotes
from realtime.ports import ViewerCounts


def create_api(
    *,
    accounts: Accounts,
    streams: Streams,
    viewers: ViewerCounts,
    charts: Charts,
    channel_emotes: ChannelEmotes,
    settings: Settings,
) -> Litestar:
    """The ASGI app behind the gateway, which has put `identity`, `auth_error` and `address` into each request's state.

    It owns no resources: there is nothing to start or stop.
    """

    async def provide_accounts() -> Accounts:
        return accounts

    async def provide_streams() -> Streams:
        return streams

    async def provide_viewers() -> ViewerCounts:
        return viewers

    async def provide_charts() -> Charts:
        return charts

    async def provide_channel_emotes() -> ChannelEmotes:
        return channel_emotes

    app = Litestar(
        route_handlers=[
            Router("/api/v1", route_handlers=[AuthController, StreamController, TimelineController, EmoteController]),
            public_keys,
        ],
        dependencies={
            "accounts": Provide(provide_accounts),
            "streams": Provide(provide_streams),
            "viewers": Provide(provide_viewers),
            "charts": Provide(provide_charts),
            "channel_emotes": Provide(provide_channel_emotes),
            "identity": Provide(identity.identity),
            "maybe_identity": Provide(identity.maybe_identity),
            "client_address": Provide(identity.client_address),
        },
        before_request=require_json,
        exception_handlers=HANDLERS,
        request_max_body_size=settings.web.max_body_bytes,
        openapi_config=openapi_config(),
        logging_config=None,  # infra/logs.py is in charge
        debug=False,
    )
    complete_document(app)
    return app


async def require_json(request: AnyRequest) -> None:
    """Refuse a body that is not JSON or does not call itself so: a form of another site could send it unasked.

    A handler that takes something else names it: `opt={"content_types": ("multipart/form-data",)}`.
    """
    length = request.headers.get("content-length", "0")
    if length == "0" and "transfer-encoding" not in request.headers:
        return
    allowed = request.route_handler.opt.get("content_types", ("application/json",))
    if request.content_type[0] not in allowed:
        raise WrongContentType
    if request.content_type[0] == "application/json":
        await _parse(request)


async def _parse(request: AnyRequest) -> None:
    """Parse here, where nesting beyond Python's stack is the sender's fault; the request keeps the result."""
    try:
        await request.json()
    except (SerializationException, RecursionError) as failure:
        raise MalformedJson from failure
