"""One address takes a large form, and pictures and captions may be larger than JSON; everything else stays small."""

import json

import httpx
import pytest

from gateway.addresses import TrustedProxies
from gateway.app import storage_origin
from gateway.asgi import Receive, Scope, Send, respond
from gateway.middleware import BodyLimit, Boundary, security_headers
from infra.metrics import Metrics
from infra.settings import ObjectSettings

FORM = "multipart/form-data; boundary=x"


async def app(_: Scope, receive: Receive, send: Send) -> None:
    size = 0
    more = True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await respond(send, 200, json.dumps(size).encode(), "application/json")


@pytest.mark.parametrize(
    ("path", "content_type", "size", "status"),
    [
        ("/api/v1/videos", FORM, 5000, 200),
        ("/api/v1/videos/", FORM, 5000, 200),
        ("/api/v1/videos", FORM, 5001, 413),
        ("/api/v1/videos", "application/json", 1001, 413),
        ("/api/v1/videos", "", 1001, 413),
        ("/api/v1/videos/x", FORM, 1001, 413),
        ("/api/v1/auth/login", FORM, 1001, 413),
        ("/api/v1/videos/x/poster", "image/png", 3000, 200),
        ("/api/v1/videos/x/poster", "image/png", 3001, 413),
        ("/api/v1/videos/x/captions/en", "text/vtt; charset=utf-8", 2000, 200),
        ("/api/v1/videos/x/captions/en", "text/vtt", 2001, 413),
    ],
)
async def test_only_forms_of_uploads_and_pictures_and_captions_may_be_large(
    path: str, content_type: str, size: int, status: int
) -> None:
    limit = BodyLimit(app, 1000, {"/api/v1/videos": 5000}, {"image/": 3000, "text/vtt": 2000})
    outer = Boundary(limit, TrustedProxies([]), Metrics())
    transport = httpx.ASGITransport(app=outer, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://footlight.test") as client:
        answer = await client.post(path, content=bytes(size), headers={"content-type": content_type})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("settings", "origin"),
    [
        (
            ObjectSettings(endpoint="http://10.0.0.7:8333", public_endpoint="https://files.example/"),
            "https://files.example",
        ),
        (ObjectSettings(endpoint="http://10.0.0.7:8333"), "http://10.0.0.7:8333"),
    ],
)
def test_pages_may_send_files_to_storage_and_nowhere_else(settings: ObjectSettings, origin: str) -> None:
    assert storage_origin(settings) == origin
    headers = security_headers(edge_origin="https://edge", secure=True, storage_origin=origin)
    policy = dict(headers)[b"content-security-policy"].decode()
    assert f"connect-src 'self' ws: wss: https://edge {origin};" in policy


def test_without_an_address_of_our_own_storage_is_that_of_aws() -> None:
    aws = storage_origin(ObjectSettings(bucket="films", region="eu-central-1"))
    assert aws == "https://films.s3.eu-central-1.amazonaws.com https://films.s3.amazonaws.com"
