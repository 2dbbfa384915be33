"""The web client is served from memory, cached as it deserves, and nothing else is."""

from pathlib import Path

import httpx
import pytest

from gateway.addresses import TrustedProxies
from gateway.middleware import Boundary
from gateway.pages import Pages
from infra.metrics import Metrics


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    root = tmp_path / "dist"
    (root / "assets").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "index.html").write_text("<!doctype html><title>Footlight</title>" + "<p>" * 300)
    (root / "docs" / "index.html").write_text("<!doctype html><title>API</title>")
    (root / "assets" / "app-1a2b.js").write_text("export const a = 1;" * 100)
    (tmp_path / "secret.txt").write_text("secret")
    return client_of(Pages(root))


def client_of(pages: Pages) -> httpx.AsyncClient:
    app = Boundary(pages, TrustedProxies([]), Metrics())
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://footlight.test")


@pytest.mark.parametrize("path", ["/", "/watch/0192", "/studio", "/index.html"])
async def test_every_page_of_the_client_is_the_index(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert "<title>Footlight</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_hashed_asset_is_cached_for_ever(client: httpx.AsyncClient) -> None:
    answer = await client.get("/assets/app-1a2b.js")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")


async def test_who_has_the_page_gets_it_not_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/")).headers["etag"]
    assert (await client.get("/", headers={"If-None-Match": etag})).status_code == 304


async def test_who_cannot_unpack_gets_it_plain(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
async def test_a_folder_with_a_page_of_its_own(client: httpx.AsyncClient, path: str) -> None:
    assert "<title>API</title>" in (await client.get(path)).text


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/api/v1/nothing",
        "/x.map",
    ],
)
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_pages_are_only_read(client: httpx.AsyncClient) -> None:
    assert (await client.post("/")).status_code == 404


async def test_a_client_that_is_not_built_says_so(tmp_path: Path) -> None:
    answer = await client_of(Pages(tmp_path / "nothing")).get("/")
    assert answer.status_code == 503
    assert "make web" in answer.text


async def test_a_page_comes_with_the_names_of_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "ahead.json").write_text('{"/video/": ["assets/Video-1.js", "assets/V.css"]}')
    client = client_of(Pages(tmp_path))
    assert (await client.get("/video/0192")).headers["link"] == (
        "</assets/Video-1.js>; rel=modulepreload; crossorigin, </assets/V.css>; rel=preload; as=style; crossorigin"
    )
    assert "link" not in (await client.get("/")).headers
    assert (await client.get("/ahead.json")).status_code == 404
