"""Everything that can be set from outside: one value object per concern, read from the environment once, at start.

A bad value stops the program with a message that names the variable, the value and what is allowed. `.env.example`
is generated from these declarations (`footlight settings`), and a test fails when the two differ.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_type_hints

from infra.convert_settings import ConvertSettings
from infra.declaring import between, bus_url, networks, optional_url, own_address, parse, setting, url, urls
from infra.stripe_settings import StripeSettings

T = TypeVar("T")


class BadSetting(SystemExit):
    """Raised at start; prints one line per bad variable and exits with status 1."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The front door."""

    public_url: str = setting(
        "FOOTLIGHT_PUBLIC_URL", "http://localhost:8000", "where people open Footlight", check=url("http", "https")
    )
    origins: tuple[str, ...] = setting(
        "FOOTLIGHT_ORIGINS", (), "other web origins that may call us with cookies", check=urls("http", "https")
    )
    trusted_proxies: tuple[str, ...] = setting(
        "FOOTLIGHT_TRUSTED_PROXIES",
        ("127.0.0.0/8", "::1/128"),
        "networks whose X-Forwarded-For we believe",
        check=networks,
    )
    max_body_bytes: int = setting(
        "FOOTLIGHT_MAX_BODY_BYTES", 1_048_576, "largest request body, uploads aside", check=between(1024, 1 << 30)
    )
    user_limit_per_minute: int = setting(
        "FOOTLIGHT_USER_LIMIT", 100, "requests a minute for one user", check=between(1, 1_000_000)
    )
    address_limit_per_minute: int = setting(
        "FOOTLIGHT_ADDRESS_LIMIT", 1000, "requests a minute from one address", check=between(1, 10_000_000)
    )
    stop_delay_seconds: float = setting(
        "FOOTLIGHT_STOP_DELAY",
        0.0,
        "seconds a node that is to stop says so before it takes no more; 2 checks of your load balancer",
        check=between(0, 600),
    )
    stop_seconds: float = setting(
        "FOOTLIGHT_STOP_SECONDS",
        4.0,
        "seconds it then has to move its sockets and finish its requests",
        check=between(4, 600),
    )
    web_root: Path = setting("FOOTLIGHT_WEB_ROOT", Path("http/web/dist"), "the built web client")

    @property
    def all_origins(self) -> tuple[str, ...]:
        """The origins whose pages may use cookies."""
        return tuple(url.rstrip("/") for url in (self.public_url, *self.origins))


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Tokens and passwords."""

    keys: Path = setting(
        "FOOTLIGHT_KEYS", Path(".footlight/keys"), "folder of RSA private keys, one PEM file per key id"
    )
    secret: str = setting(
        "FOOTLIGHT_SECRET",
        "",
        "32 or more random characters that derive refresh tokens",
        check=lambda value: None if value == "" or len(value) >= 32 else "at least 32 characters",
        secret=True,
    )
    issuer: str = setting("FOOTLIGHT_ISSUER", "footlight", "`iss` of our tokens")
    access_minutes: int = setting("FOOTLIGHT_ACCESS_MINUTES", 30, "life of an access token", check=between(1, 60))
    refresh_days: int = setting("FOOTLIGHT_REFRESH_DAYS", 7, "life of a sign-in", check=between(1, 90))
    hash_workers: int = setting(
        "FOOTLIGHT_HASH_WORKERS", 2, "passwords hashed at once (19 MiB each)", check=between(1, 64)
    )


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """Users, streams, money."""

    url: str = setting(
        "FOOTLIGHT_POSTGRES_URL",
        "postgresql://footlight@127.0.0.1:5432/footlight",
        "PostgreSQL",
        check=url("postgresql"),
        with_password=True,
    )
    pool_size: int = setting("FOOTLIGHT_POSTGRES_POOL", 10, "connections a process may hold", check=between(1, 200))
    timeout_seconds: float = setting(
        "FOOTLIGHT_POSTGRES_TIMEOUT", 5.0, "longest wait for one query", check=between(0.1, 120)
    )


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Sessions, limits, rooms: a Redis or Valkey cluster."""

    nodes: tuple[str, ...] = setting(
        "FOOTLIGHT_REDIS_NODES",
        ("redis://127.0.0.1:7000",),
        "some nodes of the cluster",
        check=urls("redis", "rediss"),
        with_password=True,
    )
    timeout_seconds: float = setting(
        "FOOTLIGHT_REDIS_TIMEOUT", 2.0, "longest wait for one command", check=between(0.05, 60)
    )


@dataclass(frozen=True, slots=True)
class MongoSettings:
    """Video metadata and analytics."""

    url: str = setting(
        "FOOTLIGHT_MONGO_URL",
        "mongodb://127.0.0.1:27017",
        "MongoDB",
        check=url("mongodb", "mongodb+srv"),
        with_password=True,
    )
    database: str = setting("FOOTLIGHT_MONGO_DATABASE", "footlight", "the database")
    read_preference: Literal["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"] = setting(
        "FOOTLIGHT_MONGO_READ_PREFERENCE", "primary", "which members answer analytics reads"
    )
    timeout_seconds: float = setting(
        "FOOTLIGHT_MONGO_TIMEOUT", 5.0, "longest wait for one operation", check=between(0.1, 120)
    )


@dataclass(frozen=True, slots=True)
class ObjectSettings:
    """Files, on S3 or what speaks like it."""

    endpoint: str = setting("FOOTLIGHT_S3_ENDPOINT", "", "S3 endpoint; empty means AWS itself")
    region: str = setting("FOOTLIGHT_S3_REGION", "us-east-1", "S3 region")
    bucket: str = setting("FOOTLIGHT_S3_BUCKET", "footlight", "the bucket")
    public_endpoint: str = setting(
        "FOOTLIGHT_S3_PUBLIC_ENDPOINT", "", "where browsers reach the storage; empty: as we do", check=optional_url
    )
    access_key: str = setting("FOOTLIGHT_S3_ACCESS_KEY", "", "empty means the machine's own role")
    secret_key: str = setting("FOOTLIGHT_S3_SECRET_KEY", "", "goes with the access key", secret=True)


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Video search."""

    url: str = setting(
        "FOOTLIGHT_SEARCH_URL",
        "http://127.0.0.1:9200",
        "Elasticsearch 9",
        check=url("http", "https"),
        with_password=True,
    )
    plain_mime: bool = setting(
        "FOOTLIGHT_SEARCH_PLAIN_MIME", False, "send plain JSON mime types; only the embedded search server needs it"
    )
    timeout_seconds: float = setting(
        "FOOTLIGHT_SEARCH_TIMEOUT", 5.0, "longest wait for one search", check=between(0.1, 60)
    )


@dataclass(frozen=True, slots=True)
class BusSettings:
    """Jobs and events."""

    url: str = setting(
        "FOOTLIGHT_BUS_URL",
        "redis:",
        "`amqp://user:password@host/` for RabbitMQ, or `redis:` for streams in our own cluster",
        check=bus_url,
        with_password=True,
    )


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Ingest, packaging and delivery of live streams."""

    rtmp_host: str = setting("FOOTLIGHT_RTMP_HOST", "127.0.0.1", "address the ingest listens on")
    rtmp_port: int = setting("FOOTLIGHT_RTMP_PORT", 1935, "port the ingest listens on", check=between(1, 65535))
    rtmp_public_url: str = setting(
        "FOOTLIGHT_RTMP_URL", "rtmp://localhost:1935/live", "what creators type into OBS", check=url("rtmp", "rtmps")
    )
    origin_host: str = setting("FOOTLIGHT_ORIGIN_HOST", "127.0.0.1", "address the origin listens on")
    origin_port: int = setting("FOOTLIGHT_ORIGIN_PORT", 8100, "port the origin listens on", check=between(1, 65535))
    origin_url: str = setting(
        "FOOTLIGHT_ORIGIN_URL", "http://127.0.0.1:8100", "where the edge finds the origin", check=url("http", "https")
    )
    edge_host: str = setting("FOOTLIGHT_EDGE_HOST", "127.0.0.1", "address the edge listens on")
    edge_port: int = setting("FOOTLIGHT_EDGE_PORT", 8001, "port the edge listens on", check=between(1, 65535))
    edge_public_url: str = setting(
        "FOOTLIGHT_EDGE_URL",
        "http://localhost:8001",
        "where players find playlists and segments",
        check=url("http", "https"),
    )
    edge_cache_bytes: int = setting(
        "FOOTLIGHT_EDGE_CACHE_BYTES", 268_435_456, "memory the edge may fill", check=between(1 << 20, 1 << 40)
    )
    ffmpeg: str = setting("FOOTLIGHT_FFMPEG", "ffmpeg", "the ffmpeg program, version 7 or later")
    max_publishers: int = setting(
        "FOOTLIGHT_MAX_PUBLISHERS", 200, "encoders connected to one process", check=between(1, 10_000)
    )
    reconnect_seconds: int = setting(
        "FOOTLIGHT_RECONNECT_SECONDS", 60, "how long a dropped encoder may take to return", check=between(1, 3600)
    )
    recording_spool: Path = setting(
        "FOOTLIGHT_RECORDING_SPOOL",
        Path(".footlight/recordings"),
        "folder where recordings wait to be stored; on a disk that outlives the process",
    )
    recording_spool_bytes: int = setting(
        "FOOTLIGHT_RECORDING_SPOOL_BYTES", 20 << 30, "what may wait there", check=between(1 << 20, 1 << 45)
    )


@dataclass(frozen=True, slots=True)
class VodSettings:
    """Uploads and what becomes of them."""

    upload_max_bytes: int = setting(
        "FOOTLIGHT_UPLOAD_MAX_BYTES", 20 << 30, "largest file one may upload", check=between(1 << 20, 5 << 40)
    )
    upload_quota_bytes: int = setting(
        "FOOTLIGHT_UPLOAD_QUOTA_BYTES",
        200 << 30,
        "what one account's uploads may take",
        check=between(1 << 20, 1 << 50),
    )
    open_uploads: int = setting(
        "FOOTLIGHT_UPLOADS_OPEN", 20, "unfinished uploads one account may have", check=between(1, 1000)
    )
    upload_days: int = setting(
        "FOOTLIGHT_UPLOAD_DAYS", 7, "days after which an unfinished upload is given up", check=between(1, 90)
    )
    max_duration_hours: int = setting("FOOTLIGHT_VIDEO_MAX_HOURS", 12, "longest video", check=between(1, 48))
    transcode_jobs: int = setting(
        "FOOTLIGHT_TRANSCODE_JOBS", 1, "encodes one transcoder process runs at once", check=between(1, 64)
    )
    lease_seconds: int = setting(
        "FOOTLIGHT_TRANSCODE_LEASE",
        30,
        "a transcoder not heard of for so long has lost its task",
        check=between(2, 600),
    )
    max_attempts: int = setting(
        "FOOTLIGHT_TRANSCODE_ATTEMPTS", 3, "after so many failed attempts a video is failed", check=between(1, 10)
    )
    scratch: str = setting(
        "FOOTLIGHT_TRANSCODE_SCRATCH",
        "",
        "folder for files in work, emptied at start; empty: a new one in the system's temporary folder",
    )
    scratch_bytes: int = setting(
        "FOOTLIGHT_TRANSCODE_SCRATCH_BYTES",
        60 << 30,
        "what files in work may take; no upload may be larger than nine tenths of it",
        check=between(1 << 20, 1 << 45),
    )


@dataclass(frozen=True, slots=True)
class PlaybackSettings:
    """CloudFront signed cookies, by which whoever may watch gets playlists and segments."""

    key_pair_id: str = setting(
        "FOOTLIGHT_PLAYBACK_KEY_ID", "footlight-local", "id of the key in CloudFront's key group"
    )
    private_key: str = setting(
        "FOOTLIGHT_PLAYBACK_PRIVATE_KEY", "", "file of the RSA key that signs, PEM; nodes of the API need it"
    )
    public_keys: str = setting(
        "FOOTLIGHT_PLAYBACK_PUBLIC_KEYS", "", "folder of the public keys, `<key id>.pem`; the edge needs it"
    )
    cookie_domain: str = setting(
        "FOOTLIGHT_PLAYBACK_COOKIE_DOMAIN", "", "parent domain of site and edge; empty when they share a host"
    )
    distribution_id: str = setting(
        "FOOTLIGHT_CLOUDFRONT_DISTRIBUTION",
        "",
        "the CloudFront distribution that drops copies of deleted videos; empty without CloudFront",
    )
    seconds: int = setting(
        "FOOTLIGHT_PLAYBACK_SECONDS",
        60,
        "life of the cookies of a video: so late does a revoked right end",
        check=between(20, 3600),
    )
    live_seconds: int = setting(
        "FOOTLIGHT_PLAYBACK_LIVE_SECONDS",
        300,
        "life of the cookies of a live stream that is open to all",
        check=between(20, 3600),
    )


@dataclass(frozen=True, slots=True)
class RealtimeSettings:
    """Sockets of one node."""

    private_host: str = setting(
        "FOOTLIGHT_REALTIME_PRIVATE_HOST",
        "127.0.0.1",
        "this node's own address, where other nodes pass on requests of its polling clients (any free port)",
        check=own_address,
    )
    sockets: int = setting(
        "FOOTLIGHT_REALTIME_SOCKETS",
        18_500,
        "sockets of one node; keep 1,500 below its limit of descriptors",
        check=between(1, 1_000_000),
    )
    sockets_per_address: int = setting(
        "FOOTLIGHT_REALTIME_SOCKETS_PER_ADDRESS",
        500,
        "sockets of one client address (or IPv6 /64) on one node",
        check=between(1, 1_000_000),
    )
    auto_slow_per_second: int = setting(
        "FOOTLIGHT_REALTIME_AUTO_SLOW_PER_SECOND",
        60,
        "messages a second above which a big room goes into slow mode by itself; 0 for never",
        check=between(0, 1_000_000),
    )
    auto_slow_viewers: int = setting(
        "FOOTLIGHT_REALTIME_AUTO_SLOW_VIEWERS",
        500,
        "viewers that make a room a big one",
        check=between(1, 1_000_000),
    )


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """Somebody else's opinion on chat messages, asked after AutoMod let one pass."""

    url: str = setting(
        "FOOTLIGHT_CLASSIFIER_URL", "", "where messages are posted as JSON; empty for nowhere", check=optional_url
    )
    secret: str = setting("FOOTLIGHT_CLASSIFIER_SECRET", "", "key of the HMAC in X-Footlight-Signature", secret=True)
    budget_ms: int = setting(
        "FOOTLIGHT_CLASSIFIER_BUDGET_MS", 200, "how long a message waits for it", check=between(1, 5000)
    )
    fallback: Literal["pass", "hold"] = setting(
        "FOOTLIGHT_CLASSIFIER_FALLBACK", "pass", "what happens to a message without an answer: pass or hold"
    )


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Figures of processes that serve nothing else; nodes and the edge show theirs where they serve."""

    host: str = setting("FOOTLIGHT_METRICS_HOST", "127.0.0.1", "where workers and transcoders show their figures")
    worker_port: int = setting("FOOTLIGHT_WORKER_METRICS_PORT", 0, "a worker's port; 0: none", check=between(0, 65535))
    transcode_port: int = setting(
        "FOOTLIGHT_TRANSCODE_METRICS_PORT", 0, "a transcoder's port; 0: none", check=between(0, 65535)
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written down."""

    level: Literal["DEBUG", "INFO", "ERROR"] = setting("FOOTLIGHT_LOG_LEVEL", "INFO", "least important line to write")
    style: Literal["json", "console"] = setting("FOOTLIGHT_LOG_STYLE", "json", "for machines or for a person")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it."""

    web: WebSettings = WebSettings()
    auth: AuthSettings = AuthSettings()
    postgres: PostgresSettings = PostgresSettings()
    redis: RedisSettings = RedisSettings()
    mongo: MongoSettings = MongoSettings()
    objects: ObjectSettings = ObjectSettings()
    search: SearchSettings = SearchSettings()
    bus: BusSettings = BusSettings()
    live: LiveSettings = LiveSettings()
    vod: VodSettings = VodSettings()
    convert: ConvertSettings = ConvertSettings()  # noqa: RUF009 - frozen, as all of them
    playback: PlaybackSettings = PlaybackSettings()
    realtime: RealtimeSettings = RealtimeSettings()
    classifier: ClassifierSettings = ClassifierSettings()
    metrics: MetricsSettings = MetricsSettings()
    stripe: StripeSettings = StripeSettings()  # noqa: RUF009 - frozen, as all of them
    logs: LogSettings = LogSettings()


@dataclass(frozen=True, slots=True)
class Declared:
    """One variable as the code declares it."""

    variable: str
    default: Any
    meaning: str
    secret: bool
    concern: type


def declared() -> Iterator[Declared]:
    """Every variable, in reading order."""
    for concern in get_type_hints(Settings).values():
        for item in dataclasses.fields(concern):
            meta = item.metadata
            yield Declared(meta["variable"], item.default, meta["meaning"], meta["secret"], concern)


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check everything, and report every bad variable at once."""
    known = {item.variable for item in declared()} | set(SUPERVISOR_VARIABLES)
    strangers = [name for name in environment if name.startswith("FOOTLIGHT_") and name not in known]
    problems = [f"{name} is not a setting of Footlight; see .env.example for the names." for name in strangers]
    concerns = {name: _read(concern, environment, problems) for name, concern in get_type_hints(Settings).items()}
    settings = Settings(**concerns)
    problems += settings.convert.problems()
    if problems:
        raise BadSetting("Footlight cannot start:\n  " + "\n  ".join(problems))
    return settings


PASSWORD = re.compile(r"//[^/]*@")  # what comes before the host

# Read by `footlight up` itself, which sets all the others for its children.
SUPERVISOR_VARIABLES = ("FOOTLIGHT_DATA", "FOOTLIGHT_NODE")


def _read(concern: type[T], environment: Mapping[str, str], problems: list[str]) -> T:
    values: dict[str, Any] = {}
    hints = get_type_hints(concern)
    for item in dataclasses.fields(cast(Any, concern)):
        variable, check = item.metadata["variable"], item.metadata["check"]
        raw = environment.get(variable, "").strip()
        if not raw:
            continue
        value, allowed = parse(hints[item.name], raw)
        allowed = allowed or (check(value) if check else None)
        if allowed:
            shown = "(hidden)" if item.metadata["secret"] else repr(PASSWORD.sub("//(hidden)@", raw))
            problems.append(f"{variable}={shown} is not allowed: it must be {allowed}.")
        else:
            values[item.name] = value
    return concern(**values)


def example() -> str:
    """The text of `.env.example`."""
    lines = ["# Every setting of Footlight with its default. Generated by `footlight settings`; do not edit by hand."]
    concern: type | None = None
    for item in declared():
        if item.concern is not concern:
            concern = item.concern
            lines += ["", f"# --- {(concern.__doc__ or '').strip()}"]
        default = ",".join(item.default) if isinstance(item.default, tuple) else str(item.default)
        lines += [f"# {item.meaning}", f"{item.variable}={'' if item.secret else default}"]
    return "\n".join(lines) + "\n"
