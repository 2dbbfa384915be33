"""The settings `footlight up` gives its children: addresses it chose, secrets it made, programs it found.

A FOOTLIGHT_ variable that is set outside wins, so that one server can be replaced by another, or a limit changed.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.parts import LOOPBACK, kept_secret
from infra.local.playback_keys import kept_playback_keys
from infra.local.ports import PublicPorts
from infra.settings import ObjectSettings, PlaybackSettings

ROOT = Path(__file__).resolve().parents[2]
OLDEST_FFMPEG = 7
NAME_PREFIX = "FOOTLIGHT_"
VERSION_LINE = re.compile(r"ffmpeg version \D?(\d+)")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the embedded servers answer."""

    postgres: str
    redis: list[str]
    mongo: str
    search: str
    objects: ObjectSettings
    origin_port: int


def child_environment(
    folder: Path, public: PublicPorts, servers: Addresses, outside: Mapping[str, str]
) -> dict[str, str]:
    """Every variable a process of the platform needs; `outside` is our own environment."""
    keys = folder / "keys"
    keys.mkdir(exist_ok=True, mode=0o700)
    private_key, public_keys = kept_playback_keys(folder / "playback", PlaybackSettings().key_pair_id)
    web = f"http://localhost:{public.web}"
    ours = {
        "DATA": folder,
        "PUBLIC_URL": web,
        "ORIGINS": f"{web},http://{LOOPBACK}:{public.web}",
        "WEB_ROOT": ROOT / "http" / "web" / "dist",
        "KEYS": keys,
        "SECRET": kept_secret(folder / "secret"),
        "POSTGRES_URL": servers.postgres,
        "REDIS_NODES": ",".join(servers.redis),
        "MONGO_URL": servers.mongo,
        "SEARCH_URL": servers.search,
        "SEARCH_PLAIN_MIME": "true",
        "S3_ENDPOINT": servers.objects.endpoint,
        "S3_ACCESS_KEY": servers.objects.access_key,
        "S3_SECRET_KEY": servers.objects.secret_key,
        "RTMP_HOST": LOOPBACK,
        "RTMP_PORT": public.rtmp,
        "RTMP_URL": f"rtmp://localhost:{public.rtmp}/live",
        "ORIGIN_HOST": LOOPBACK,
        "ORIGIN_PORT": servers.origin_port,
        "ORIGIN_URL": f"http://{LOOPBACK}:{servers.origin_port}",
        "EDGE_HOST": LOOPBACK,
        "EDGE_PORT": public.edge,
        "EDGE_URL": f"http://localhost:{public.edge}",
        "FFMPEG": find_ffmpeg(),
        "PLAYBACK_PRIVATE_KEY": private_key,
        "PLAYBACK_PUBLIC_KEYS": public_keys,
        "TRANSCODE_SCRATCH": folder / "scratch",
        "RECORDING_SPOOL": folder / "recordings",
    }
    chosen = {NAME_PREFIX + name: str(value) for name, value in ours.items()}
    return {**chosen, **{name: value for name, value in outside.items() if name.startswith(NAME_PREFIX) and value}}


def find_ffmpeg() -> str:
    """The ffmpeg on PATH when it is new enough, else the one from the wheel."""
    installed = shutil.which("ffmpeg")
    if installed and _major_version(installed) >= OLDEST_FFMPEG:
        return installed
    from imageio_ffmpeg import get_ffmpeg_exe  # noqa: PLC0415  # the production install has its own ffmpeg

    return str(get_ffmpeg_exe())


def _major_version(program: str) -> int:
    """0 when it does not say."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = VERSION_LINE.match(said)
    return int(found[1]) if found else 0
