"""The HTTP API as one Litestar app: its route table, and what every route shares."""

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag

from accounts.accounts import Accounts
from api import identity
from api.auth import ACCESS_COOKIE, REFRESH_COOKIE, AuthController
from api.errors import HANDLERS, AnyRequest, WrongContentType
from api.wellknown import public_keys
from infra.settings import WebSettings


def create_api(*, accounts: Accounts, settings: WebSettings) -> Litestar:
    """The ASGI app behind the gateway, which has put `identity`, `auth_error` and `address` into each request's state.

    It owns no resources: there is nothing to start or stop.
    """

    async def provide_accounts() -> Accounts:
        return accounts

    return Litestar(
        route_handlers=[
            Router("/api/v1", route_handlers=[AuthController]),
            public_keys,
        ],
        dependencies={
            "accounts": Provide(provide_accounts),
            "identity": Provide(identity.identity),
            "maybe_identity": Provide(identity.maybe_identity),
            "client_address": Provide(identity.client_address),
        },
        before_request=require_json,
        exception_handlers=HANDLERS,
        request_max_body_size=settings.max_body_bytes,
        openapi_config=_openapi(),
        logging_config=None,  # infra/logs.py is in charge
        debug=False,
    )


async def require_json(request: AnyRequest) -> None:
    """Refuse a body that does not call itself JSON: a form of another site could send it without asking first.

    A handler that takes something else names it: `opt={"content_types": ("multipart/form-data",)}`.
    """
    length = request.headers.get("content-length", "0")
    if length == "0" and "transfer-encoding" not in request.headers:
        return
    allowed = request.route_handler.opt.get("content_types", ("application/json",))
    if request.content_type[0] not in allowed:
        raise WrongContentType


def _openapi() -> OpenAPIConfig:
    schemes = {
        "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
        "cookie": SecurityScheme(type="apiKey", security_scheme_in="cookie", name=ACCESS_COOKIE),
        "refreshCookie": SecurityScheme(type="apiKey", security_scheme_in="cookie", name=REFRESH_COOKIE),
    }
    return OpenAPIConfig(
        title="Footlight",
        version="1",
        description="Live streams, chat and videos. Errors always have the same shape; `docs/api.md` tells more.",
        components=Components(security_schemes={**schemes}),
        tags=[Tag("Accounts", "Signing up and in, and the own account"), Tag("Streams", "Live streams")],
        path="/openapi.json",
        render_plugins=[JsonRenderPlugin(path="/")],  # the interactive page is the gateway's: it works offline
    )
