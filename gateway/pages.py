"""The built web client, held in memory: a dictionary of files cannot be tricked into leaving its folder.

Files under `assets/` carry a hash in their name and are cached for ever; pages are asked about each time. A path that
is no file is a page of the client's own router and gets `index.html`, with the names of what that page is sure to need
(`Link`, RFC 8288): the build wrote them down in `ahead.json`.
"""

import gzip
import hashlib
import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from gateway.asgi import Receive, Scope, Send, header, respond
from infra.errors import NotFound

COMPRESS = ("text/", "application/javascript", "application/json", "image/svg+xml", "application/manifest+json")
AHEAD = "/ahead.json"
MISSING = b"<!doctype html><title>Footlight</title><p>The web client is not built. Run <code>make web</code>."


@dataclass(frozen=True, slots=True)
class File:
    """One file, ready to send."""

    body: bytes
    gzipped: bytes | None
    content_type: str
    etag: str
    cache: bytes


class Pages:
    """Serves the web client."""

    def __init__(self, root: Path) -> None:
        self._files = {
            f"/{path.relative_to(root).as_posix()}": _load(path) for path in root.rglob("*") if path.is_file()
        }
        for page in [name for name in self._files if name.endswith("/index.html")]:
            self._files[page.removesuffix("index.html")] = self._files[page]
            if page != "/index.html":
                self._files[page.removesuffix("/index.html")] = self._files[page]
        ahead = json.loads(self._files.pop(AHEAD).body) if AHEAD in self._files else {}
        self._ahead = {path: ", ".join(map(_link, files)).encode() for path, files in ahead.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            raise NotFound
        if not self._files:
            await respond(send, 503, MISSING, "text/html; charset=utf-8")
            return
        file = self._files.get(scope["path"]) or self._page(scope["path"])
        common = [(b"etag", file.etag.encode()), (b"cache-control", file.cache), (b"vary", b"accept-encoding")]
        common += [(b"link", links) for path, links in self._ahead.items() if scope["path"].startswith(path)]
        if header(scope, b"if-none-match") == file.etag:
            await send({"type": "http.response.start", "status": 304, "headers": common})
            await send({"type": "http.response.body", "body": b""})
            return
        body = file.body
        if file.gzipped and "gzip" in header(scope, b"accept-encoding"):
            body, common = file.gzipped, [*common, (b"content-encoding", b"gzip")]
        await respond(send, 200, body, file.content_type, common)

    def _page(self, path: str) -> File:
        last = path.rsplit("/", 1)[-1]
        if "." in last or path.startswith(("/assets/", "/api/")):
            raise NotFound
        return self._files["/index.html"]


def _link(file: str) -> str:
    how = "modulepreload" if file.endswith(".js") else "preload; as=style"
    return f"</{file}>; rel={how}; crossorigin"


def _load(path: Path) -> File:
    body = path.read_bytes()
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    text = guessed.startswith(COMPRESS)
    gzipped = gzip.compress(body, 9, mtime=0) if text and len(body) > 512 else None
    return File(
        body=body,
        gzipped=gzipped if gzipped and len(gzipped) < len(body) else None,
        content_type=f"{guessed}; charset=utf-8" if text else guessed,
        etag=f'"{hashlib.sha256(body).hexdigest()[:20]}"',
        cache=b"public, max-age=31536000, immutable" if "assets" in path.parts else b"no-cache",
    )
