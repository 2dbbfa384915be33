"""The OpenAPI document: what Litestar cannot know by itself."""

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Schema,
    SecurityScheme,
    Tag,
)

from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE


def openapi_config() -> OpenAPIConfig:
    """Served as `/openapi.json` only: the interactive page is the gateway's, and works offline."""
    return OpenAPIConfig(
        title="Footlight",
        version="1",
        description="Live streams, chat and videos. Errors always have the same shape; `docs/api.md` tells more.",
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                "cookie": SecurityScheme(type="apiKey", security_scheme_in="cookie", name=ACCESS_COOKIE),
                "refreshCookie": SecurityScheme(type="apiKey", security_scheme_in="cookie", name=REFRESH_COOKIE),
            }
        ),
        tags=[
            Tag("Accounts", "Signing up and in, and the own account"),
            Tag("Streams", "Live streams"),
            Tag("Channels", "Following, moderating, and what moderators know"),
            Tag("Emotes", "The emotes of channels"),
            Tag("Uploads", "Sending the files of videos"),
            Tag("Payments", "Subscribing, and what one pays for"),
            Tag("Earnings", "What a creator earned, and being paid"),
            Tag("Administration", "Other people's money; needs a fresh sign-in"),
            Tag("Videos", "Videos on demand, and what one watched"),
        ],
        path="/openapi.json",
        render_plugins=[JsonRenderPlugin(path="/")],
    )


def complete_document(app: Litestar) -> None:
    """Put in what Litestar leaves out, and take out what is not so."""
    _close_request_bodies(app)
    _empty_no_content(app)
    _name_downloads(app)


def _empty_no_content(app: Litestar) -> None:
    """A 204 has no body and so no content type."""
    for path in (app.openapi_schema.paths or {}).values():
        for operation in (path.get, path.post, path.patch, path.delete, path.put):
            answer = ((operation.responses if operation else None) or {}).get("204")
            if isinstance(answer, OpenAPIResponse):
                answer.content = None


def _name_downloads(app: Litestar) -> None:
    """An answer in one of several forms: `opt={"also_answers": ("text/csv",)}` of its handler."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for media_type in handler.opt.get("also_answers", ()):
                operation = (app.openapi_schema.paths or {})[route.path_format].get
                answer = ((operation.responses if operation else None) or {}).get("200")
                if isinstance(answer, OpenAPIResponse):
                    answer.content = {
                        **(answer.content or {}),
                        media_type: OpenAPIMediaType(Schema(type=OpenAPIType.STRING)),
                    }


def _close_request_bodies(app: Litestar) -> None:
    """Say of every body that refuses unknown fields that it does: Litestar leaves it out."""
    schemas = app.openapi_schema.components.schemas or {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            body = handler.parsed_fn_signature.parameters.get("data")
            for kind in (body.annotation, *(inner.annotation for inner in body.inner_types)) if body else ():
                if _closed(kind):
                    schemas[kind.__name__].additional_properties = False


def _closed(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__struct_config__.forbid_unknown_fields
