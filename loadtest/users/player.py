"""A player as far as a server can tell: the playlist at live pace, each new segment once."""

import re
import time
from typing import Any
from urllib.parse import urljoin

import gevent
from locust.contrib.fasthttp import FastHttpSession

from loadtest.passes import cookie_of

SEGMENT = re.compile(r"^#EXTINF:([\d.]+),.*\n(?:#.*\n)*([^#\n]+)$", re.MULTILINE)
STARTING_SECONDS = 1.0
NOTHING_YET = (404, 503)


class Player:
    """One viewer's video. `headers` carry the viewer's address."""

    def __init__(self, environment: Any, user: Any, headers: dict[str, str]) -> None:
        self._web = FastHttpSession(None, environment.events.request, user, network_timeout=20.0, concurrency=2)
        self._headers = headers
        self._cookies: dict[str, str] = {}
        self._renew_at = 0.0

    def play(self, web: str, stream_id: str, over: Any) -> None:
        """Until `over`."""
        manifest = f"{web}/api/v1/streams/{stream_id}/manifest"
        master = self._url(manifest, over)
        playlist = urljoin(master, lines_of(self._text(master, "master playlist"))[0])
        seen: set[str] = set()
        while not over.is_set():
            if time.monotonic() >= self._renew_at:
                self._url(manifest, over)
            found = SEGMENT.findall(self._text(playlist, "playlist"))
            for _, uri in found[-3:]:
                if uri not in seen:
                    seen.add(uri)
                    self._text(urljoin(playlist, uri), "segment")
            gevent.sleep(float(found[-1][0]) if found else STARTING_SECONDS)

    def _url(self, manifest: str, over: Any) -> str:
        """Where to play; asked until the encoder's first pictures are there. The answer's cookies open the edge."""
        while not over.is_set():
            with self._web.get(manifest, name="manifest", headers=self._headers, catch_response=True) as answer:
                if answer.status_code == 200:
                    answer.success()
                    self._cookies = {"Cookie": cookie_of(answer.headers.getlist("set-cookie"))}
                    self._renew_at = time.monotonic() + float(answer.json()["renew_seconds"])
                    return str(answer.json()["url"])
                if answer.status_code in NOTHING_YET:
                    answer.success()
            gevent.sleep(STARTING_SECONDS)
        raise gevent.GreenletExit

    def _text(self, url: str, name: str) -> str:
        answer = self._web.get(url, name=name, headers={**self._headers, **self._cookies})
        return str(answer.content.decode("utf-8", "replace")) if name != "segment" and answer.content else ""


def lines_of(playlist: str) -> list[str]:
    """The addresses in a playlist."""
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]
