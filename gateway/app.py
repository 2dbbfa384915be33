"""The front door: one ASGI app that sends real-time work, the API and the pages each through its own door.

A request passes Boundary and BodyLimit, and then goes by its path:

    /livez /readyz /metrics          Health
    /socket.io                       RateLimit -> realtime, which authenticates by itself
    /api /.well-known /openapi.json  Cors -> Authentication -> RateLimit -> api
    everything else                  the web client
"""

from urllib.parse import urlsplit

from gateway.addresses import TrustedProxies
from gateway.asgi import ASGIApp, Receive, Scope, Send
from gateway.auth import Authentication, RateLimit
from gateway.cors import Cors
from gateway.health import Health
from gateway.middleware import BodyLimit, Boundary, security_headers
from gateway.pages import Pages
from gateway.platform import Platform
from infra.errors import NotFound
from infra.settings import ObjectSettings
from media.catalog import captions, posters
from media.vod.upload_model import FORM_FIELDS_BYTES

HEALTH_PATHS = ("/livez", "/readyz", "/metrics")
UPLOADS_PATH = "/api/v1/videos"  # where a whole video comes as a form
FILES = {"text/vtt": captions.LARGEST_BYTES, "image/": posters.LARGEST_BYTES}
API_PATHS = ("/api/", "/.well-known/", "/openapi.json")


def create_app(platform: Platform, *, with_realtime: bool = True) -> tuple[ASGIApp, Health]:
    """The whole app, and its health (to turn readiness off before a shutdown)."""
    settings = platform.settings.web
    proxies = TrustedProxies(settings.trusted_proxies)
    health = Health(platform.stores, platform.metrics, proxies)
    doors = Doors(health)
    if platform.web is not None:
        limited = RateLimit(platform.web.api, platform.limits)
        doors.api = Cors(Authentication(limited, platform.accounts.identify, platform.origins), platform.origins)
        doors.pages = Pages(settings.web_root)
    if with_realtime:
        doors.realtime = RateLimit(platform.realtime.app, platform.limits)
    edge = urlsplit(platform.settings.live.edge_public_url)
    headers = security_headers(
        edge_origin=f"{edge.scheme}://{edge.netloc}",
        secure=settings.public_url.startswith("https"),
        storage_origin=storage_origin(platform.settings.objects),
    )
    headers.append((b"x-footlight-node", platform.node.encode()))
    forms = {UPLOADS_PATH: platform.settings.vod.upload_max_bytes + FORM_FIELDS_BYTES}
    limited_bodies = BodyLimit(doors, settings.max_body_bytes, forms, FILES)
    return Boundary(limited_bodies, proxies, platform.metrics, headers), health


def storage_origin(objects: ObjectSettings) -> str:
    """Where browsers send files."""
    address = urlsplit(objects.public_endpoint or objects.endpoint)
    if address.netloc:
        return f"{address.scheme}://{address.netloc}"
    return f"https://{objects.bucket}.s3.{objects.region}.amazonaws.com https://{objects.bucket}.s3.amazonaws.com"


class Doors:
    """Chooses by path. A role that is not served here answers as if it did not exist."""

    def __init__(self, health: Health) -> None:
        self.health = health
        self.api: ASGIApp = _closed
        self.pages: ASGIApp = _closed
        self.realtime: ASGIApp = _closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in HEALTH_PATHS and scope["type"] == "http":
            await self.health(scope, receive, send)
        elif path == "/socket.io" or path.startswith("/socket.io/"):
            scope["state"]["route"] = "/socket.io"
            await self.realtime(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif path.startswith(API_PATHS):
            await self.api(scope, receive, send)
        else:
            await self.pages(scope, receive, send)


async def _closed(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    raise NotFound
