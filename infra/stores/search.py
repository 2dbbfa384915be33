"""Elasticsearch 9: open, ping, close. Video search; nothing else knows how to connect."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from elastic_transport import AiohttpHttpNode, HttpHeaders, TransportError
from elastic_transport._node import NodeApiResponse  # the return type of the one method a node class overrides
from elasticsearch import ApiError, AsyncElasticsearch, UnsupportedProductError

from infra.errors import Unavailable
from infra.settings import SearchSettings

OVERLOADED = frozenset({429, 502, 503, 504})
CONNECTIONS = 20  # a process may hold


class SearchUnavailable(Unavailable):
    code = "service.search"
    message = "Search does not answer just now. Try again in a moment."


class Search:
    """Every use is one `async with search.client() as elastic`."""

    def __init__(self, elastic: AsyncElasticsearch) -> None:
        self._elastic = elastic

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncElasticsearch]:
        """The official client. A lost, slow or overloaded server inside the block raises `SearchUnavailable`;
        other answers (a missing index, a version conflict) are the caller's to understand."""
        try:
            yield self._elastic
        except TransportError as lost:
            raise SearchUnavailable() from lost
        except UnsupportedProductError as stranger:  # something else listens on that port
            raise SearchUnavailable() from stranger
        except ApiError as refused:
            if refused.meta.status in OVERLOADED:
                raise SearchUnavailable() from refused
            raise

    async def ping(self) -> None:
        """Raise `SearchUnavailable` when the server does not answer in time."""
        async with self.client() as elastic:
            await elastic.info()


class PlainMimeNode(AiohttpHttpNode):
    """Says `application/json` where the client says `application/vnd.elasticsearch+json; compatible-with=9`.

    The embedded search server answers 406 to the vendor's type and understands everything else we send.
    """

    async def perform_request(  # type: ignore[override]  # as in the library's own node: async where the base is not
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: Any = None,
    ) -> NodeApiResponse:
        plain = HttpHeaders({name: plain_mime(value) for name, value in (headers or {}).items()})
        return await super().perform_request(method, target, body, plain, request_timeout)


def plain_mime(value: str) -> str:
    """`application/vnd.elasticsearch+x-ndjson; compatible-with=9` -> `application/x-ndjson`."""
    return value.replace("application/vnd.elasticsearch+", "application/").replace("; compatible-with=9", "")


@asynccontextmanager
async def open_search(settings: SearchSettings) -> AsyncIterator[Search]:
    """Make a client; it connects when first used, so that a process starts while search is away.

    Leaving the block closes its connections.
    """
    elastic = AsyncElasticsearch(
        settings.url,
        node_class=PlainMimeNode if settings.plain_mime else AiohttpHttpNode,
        request_timeout=settings.timeout_seconds,
        connections_per_node=CONNECTIONS,
        max_retries=0,  # callers decide with their own deadline; a hidden retry doubles the wait
    )
    try:
        yield Search(elastic)
    finally:
        await elastic.close()
