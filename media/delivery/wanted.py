"""What a player asks the edge for: an exact name, or nothing.

Only names that the origin can have are let through, matched against the path as it came over the wire. So there is no
path to normalise: `..`, `%2e`, `%2f`, backslashes, NUL, doubled slashes, leading zeros and anything else that could
give one object two names, or reach something that is no medium, is simply not a name.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from media.errors import BadReloadQuery, NoSuchMedia

Kind = Literal["playlist", "part", "segment", "init", "vod_playlist", "vod_segment", "picture"]

MAX_QUERY_BYTES = 1024
_NUMBER = rb"(?:0|[1-9][0-9]{0,9})"
_RENDITION = rb"[a-z0-9]{1,16}"
_FILES = rb"""
    (?P<master> index\.m3u8 )
  | (?P<playlist> RENDITION\.m3u8 )
  | (?P<init> RENDITION/init-NUMBER\.mp4 )
  | (?P<part> RENDITION/NUMBER\.NUMBER\.m4s )
  | (?P<segment> RENDITION/NUMBER\.m4s )
""".replace(b"NUMBER", _NUMBER).replace(b"RENDITION", _RENDITION)
_PATH = re.compile(rb"/live/(?P<playback_id>[A-Za-z0-9]{16})/(?:" + _FILES + rb")", re.VERBOSE)
_VOD_FILES = rb"""
    BUILD/(?: index | [a-z0-9]{1,16} )\.m3u8 (?P<playlist>)
  | BUILD/[a-z0-9]{1,16}/(?: init\.mp4 | NUMBER\.m4s ) (?P<segment>)
  | BUILD/storyboard(?: \.vtt | -NUMBER\.jpg )
  | captions/[a-z0-9-]{2,40}-[a-z0-9]{12}\.vtt
""".replace(b"NUMBER", _NUMBER).replace(b"BUILD", rb"[a-z0-9]{12}")
_UUID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_VOD_PATH = re.compile(rb"/vod/(?P<video_id>" + _UUID + rb")/(?:" + _VOD_FILES + rb")", re.VERBOSE)
_POSTER_PATH = re.compile(rb"/posters/(?P<video_id>" + _UUID + rb")/[a-z0-9]{16}\.jpg")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object. `key` is its path with the reload query, the same for everybody who means the same; `playback_id`
    names the stream or video it belongs to."""

    key: str
    kind: Kind
    playback_id: str
    held: bool = False  # the origin may keep us waiting until it exists
    is_stored: bool = False  # a file of the object store, and not of the live origin
    is_open: bool = False  # needs no cookies


def wanted(raw_path: bytes, query: bytes) -> Wanted:
    """Read a request target. Raises `NoSuchMedia`, `BadReloadQuery`."""
    match = _PATH.fullmatch(raw_path)
    if match is None:
        return _stored(raw_path)
    path, playback_id = raw_path.decode(), match["playback_id"].decode()
    if match["playlist"]:
        reload = _reload_query(query)
        return Wanted(path + reload, "playlist", playback_id, held=bool(reload))
    if match["master"]:
        return Wanted(path, "playlist", playback_id, held=False)
    if match["part"]:
        return Wanted(path, "part", playback_id, held=True)  # announced by a preload hint before it exists
    return Wanted(path, "init" if match["init"] else "segment", playback_id, held=False)


def _stored(raw_path: bytes) -> Wanted:
    """A file of a video. Whatever stands in the query means nothing."""
    if match := _VOD_PATH.fullmatch(raw_path):
        kind: Kind = "picture"
        if match["playlist"] is not None:
            kind = "vod_playlist"
        elif match["segment"] is not None:
            kind = "vod_segment"
        return Wanted(raw_path.decode(), kind, match["video_id"].decode(), is_stored=True)
    if match := _POSTER_PATH.fullmatch(raw_path):
        return Wanted(raw_path.decode(), "picture", match["video_id"].decode(), is_stored=True, is_open=True)
    raise NoSuchMedia


def _reload_query(query: bytes) -> str:
    """`?_HLS_msn=..&_HLS_part=..` in one spelling, without everything else that may stand in the query."""
    if len(query) > MAX_QUERY_BYTES:
        raise BadReloadQuery
    found: dict[str, int] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name in {"_HLS_msn", "_HLS_part"}:
            if name in found or not (value.isascii() and value.isdigit() and len(value) <= 10):
                raise BadReloadQuery
            found[name] = int(value)
    if "_HLS_msn" not in found:
        if found:
            raise BadReloadQuery
        return ""
    part = f"&_HLS_part={found['_HLS_part']}" if "_HLS_part" in found else ""
    return f"?_HLS_msn={found['_HLS_msn']}{part}"
