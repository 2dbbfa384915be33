"""The HTTP API as one Litestar app: its route table, and what every route shares."""

from typing import Any, Required, TypedDict, Unpack

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import SerializationException
from litestar.types import ControllerRouterHandler

from accounts.accounts import Accounts
from api import identity
from api.auth import AuthController
from api.channels import ChannelController, ModeratedController
from api.channels_filters import FilterController
from api.channels_log import LogController
from api.channels_people import PeopleController
from api.channels_requests import UnbanController
from api.creators import CreatorController
from api.earnings import EarningsController
from api.emotes import EmoteController
from api.errors import HANDLERS, AnyRequest, MalformedJson, WrongContentType
from api.gifts import ChannelGiftController, GiftController
from api.held import HeldController, HeldInChannel
from api.history import HistoryController
from api.openapi import complete_document, openapi_config
from api.paid_messages import ChannelPaidMessageController, PaidMessageController
from api.payments import CheckoutController, PlanController, SubscriptionController
from api.payments_admin import PaymentAdminController, PaymentDesk
from api.payouts import PayoutController
from api.playback import PlaybackController
from api.replay import ReplayController
from api.retries import RetryController
from api.search import SearchController
from api.shown_videos import VideoShelf
from api.streams import StreamController
from api.timeline import TimelineController
from api.uploads import UploadController, large_forms
from api.videos import AttachmentController, LikeController, VideoController
from api.webhooks import WebhookController
from api.wellknown import public_keys
from infra.settings import Settings
from media.catalog.library import Library
from media.catalog.search import VideoSearch
from media.catalog.watching import Watching
from media.delivery.playback import Playback
from media.live.charts import Charts
from media.live.streams import Streams
from media.vod.retrying import Retrying
from media.vod.uploads import Uploads
from payments.earnings import Earnings
from payments.gifts import Gifts
from payments.inbox import Webhooks
from payments.orders import Orders
from payments.paid_messages import PaidMessages
from payments.subscriptions import Subscriptions
from realtime.archive.replay import Replay
from realtime.channel_emotes import ChannelEmotes
from realtime.moderation.channels import Channels
from realtime.ports import ViewerCounts

CHANNELS = (ModeratedController, ChannelController, FilterController, PeopleController, UnbanController, LogController)
PAYMENTS = (PlanController, CheckoutController, SubscriptionController)
EARNINGS = (EarningsController, PayoutController)
GIFTS = (GiftController, ChannelGiftController)
PAID_MESSAGES = (PaidMessageController, ChannelPaidMessageController)
VIDEOS = (VideoController, LikeController, AttachmentController, HistoryController, CreatorController)


class Parts(TypedDict, total=False):
    """What handlers are given, under these names. Without an optional one its addresses are not there."""

    accounts: Required[Accounts]
    streams: Required[Streams]
    viewers: Required[ViewerCounts]
    charts: Required[Charts]
    channel_emotes: Required[ChannelEmotes]
    channels: Channels | None
    held_queue: HeldInChannel | None
    library: Library | None
    video_search: VideoSearch | None
    uploads: Uploads | None
    retrying: Retrying | None
    replay: Replay | None
    watching: Watching | None
    playback: Required[Playback]
    orders: Orders | None
    subscriptions: Subscriptions | None
    gifts: Gifts | None
    paid_messages: PaidMessages | None
    earnings: Earnings | None
    payment_desk: PaymentDesk | None
    webhooks: Webhooks | None


def create_api(*, settings: Settings, **parts: Unpack[Parts]) -> Litestar:
    """The ASGI app behind the gateway, which has put `identity`, `auth_error` and `address` into each request's state.

    It owns no resources: there is nothing to start or stop.
    """
    app = Litestar(
        route_handlers=[Router("/api/v1", route_handlers=_handlers(parts, settings)), public_keys],
        dependencies=_dependencies(parts, settings),
        before_request=require_json,
        exception_handlers=HANDLERS,
        request_max_body_size=settings.web.max_body_bytes,
        openapi_config=openapi_config(),
        logging_config=None,  # infra/logs.py is in charge
        debug=False,
    )
    complete_document(app)
    return app


def _handlers(parts: Parts, settings: Settings) -> list[ControllerRouterHandler]:
    found: list[ControllerRouterHandler] = [AuthController, StreamController, TimelineController, EmoteController]
    found += CHANNELS if parts.get("channels") is not None else ()
    found += [HeldController] if parts.get("held_queue") is not None else []
    found += VIDEOS if parts.get("library") is not None else ()
    found += [PlaybackController] if parts.get("watching") is not None else []
    found += [RetryController] if parts.get("retrying") is not None else []
    found += [ReplayController] if parts.get("replay") is not None else []
    found += [SearchController] if parts.get("video_search") is not None else []
    found += [UploadController, large_forms(settings.vod)] if parts.get("uploads") is not None else []
    found += PAYMENTS if parts.get("subscriptions") is not None else ()
    found += GIFTS if parts.get("gifts") is not None else ()
    found += PAID_MESSAGES if parts.get("paid_messages") is not None else ()
    found += EARNINGS if parts.get("earnings") is not None else ()
    found += [PaymentAdminController] if parts.get("payment_desk") is not None else []
    found += [WebhookController] if parts.get("webhooks") is not None else []
    return found


def _dependencies(parts: Parts, settings: Settings) -> dict[str, Provide]:
    edge_url = settings.live.edge_public_url.rstrip("/")
    library = parts.get("library")
    return {
        **{name: given(parts.get(name)) for name in Parts.__annotations__},
        "edge_url": given(edge_url),
        "shelf": given(VideoShelf(library, edge_url) if library is not None else None),
        "identity": Provide(identity.identity),
        "maybe_identity": Provide(identity.maybe_identity),
        "client_address": Provide(identity.client_address),
    }


def given(value: object) -> Provide:
    """A dependency that is there already."""

    async def provide() -> Any:
        return value

    return Provide(provide)


async def require_json(request: AnyRequest) -> None:
    """Refuse a body that is not JSON or does not call itself so: a form of another site could send it unasked.

    A handler that takes something else names it: `opt={"content_types": ("multipart/form-data",)}`. One with
    `opt={"raw_body": True}` believes nothing of a body before it has looked at it itself.
    """
    if request.route_handler.opt.get("raw_body"):
        return
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
