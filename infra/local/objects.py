"""The embedded S3: SeaweedFS, with random credentials, telemetry off and all its ports on loopback."""

import json
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from infra.local.parts import BINARIES, CHECK_SECONDS, LOOPBACK, Check, Part, kept_secret, write_private
from infra.settings import ObjectSettings

ROLES = ("master", "volume", "filer", "s3")
PORTS = 2 * len(ROLES)  # HTTP and gRPC of each
# Of the heap, of which half is resident. At 256 MiB its collector never rests: 3.3 processor seconds to store the
# 130 files of a minute of video, 0.8 at 300 and above; a store that has grown needs more.
MEMORY_LIMIT = "400MiB"
VOLUME_MEGABYTES = 256


def objects_part(folder: Path, ports: Sequence[int]) -> tuple[Part, ObjectSettings]:
    """The part and how to reach it. `ports`: `PORTS` of them, the HTTP ones first, in the order of `ROLES`."""
    for place in (folder, folder / "data", folder / "logs"):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    web, grpc = (dict(zip(ROLES, half, strict=True)) for half in (ports[: len(ROLES)], ports[len(ROLES) :]))
    settings = ObjectSettings(
        endpoint=f"http://{LOOPBACK}:{web['s3']}",
        access_key="footlight",
        secret_key=kept_secret(folder / "secret"),
    )
    write_private(folder / "s3.json", _identities(settings))
    part = Part(
        name="objects", command=_command(web, grpc), folder=folder, address=f"{LOOPBACK}:{web['s3']}",
        ready=_stores(web["filer"], web["s3"]), leftovers=_sockets(grpc),
        environment={"GOMEMLIMIT": MEMORY_LIMIT, "WEED_S3_SSE_KEY": kept_secret(folder / "encryption")},
        # Its files are closed 10 ms after SIGTERM, then it waits 15 s for its own connections to end.
        stop_seconds=1.0,
    )  # fmt: skip
    return part, settings


def _command(web: dict[str, int], grpc: dict[str, int]) -> tuple[str, ...]:
    ports = [f"-{role}.port={web[role]}" for role in ROLES] + [f"-{role}.port.grpc={grpc[role]}" for role in ROLES]
    return (
        str(BINARIES / "weed"), "-logdir=logs", "server", "-dir=data", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}",
        "-filer", "-s3", *ports, "-s3.config=s3.json",
        "-s3.port.iceberg=0", "-s3.port.lance=0",  # else two more ports are open, without a password
        "-s3.localSocket=s3.sock", "-filer.localSocket=filer.sock",
        f"-filer.allowedOrigins=http://{LOOPBACK}",  # else any web page may read it
        "-master.telemetry=false", f"-master.volumeSizeLimitMB={VOLUME_MEGABYTES}", "-volume.max=0",
        "-master.electionTimeout=300ms",  # there is one master; the default makes a restart take 13 s
        "-volume.preStopSeconds=0",
    )  # fmt: skip


def _identities(settings: ObjectSettings) -> str:
    keys = {"accessKey": settings.access_key, "secretKey": settings.secret_key}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return json.dumps({"identities": [{"name": "footlight", "credentials": [keys], "actions": actions}]})


def _sockets(grpc: dict[str, int]) -> tuple[Path, ...]:
    # Their folder is fixed in the program; it forgets some of them, and they would be in the way of another user.
    return tuple(Path(f"/tmp/seaweedfs-{role}-grpc-{port}.sock") for role, port in grpc.items())  # noqa: S108


def _stores(filer: int, s3: int) -> Check:
    """Ready when a file can be written, which needs the master and a volume, and S3 asks who we are."""

    async def check() -> bool:
        timeout = aiohttp.ClientTimeout(total=CHECK_SECONDS)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                form = aiohttp.FormData()
                form.add_field("file", b"ready", filename="ready")
                async with session.post(f"http://{LOOPBACK}:{filer}/ready", data=form) as written:
                    if written.status != 201:
                        return False
                async with session.get(f"http://{LOOPBACK}:{s3}/") as asked:
                    return asked.status == 403
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    return check
