"""Structured logs: one JSON object a line for machines, aligned words for a person at a terminal.

Every line carries the correlation id of the request, job or socket event that caused it; the id travels
HTTP -> bus -> worker -> socket event, so one search finds a whole story. Levels: DEBUG, INFO, ERROR.
"""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

# Keys that must never be printed, whatever a caller passes.
SECRET_WORDS = ("password", "token", "secret", "cookie", "authorization", "stream_key")
MAX_DEPTH = 5
# They log every request or every try to reconnect; what matters of it we say ourselves.
# Stripe's client writes whole bodies when asked for details.
NOISY = ("uvicorn.access", "botocore", "elastic_transport", "engineio", "socketio", "httpcore", "httpx", "stripe")
SILENT = (
    "aio_pika",
    "aiormq",
)  # they log each failed reconnect with a traceback; `infra/bus/rabbit.py` logs the change


def correlation_id() -> str:
    """The id of what is being done now, or '' outside of anything."""
    return str(get_contextvars().get("correlation_id", ""))


@contextmanager
def correlated(identifier: str, **more: Any) -> Iterator[None]:
    """Everything logged inside carries this id."""
    before = bind_contextvars(correlation_id=identifier, **more)
    try:
        yield
    finally:
        reset_contextvars(**before)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of one module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace the values of secret-looking keys, also inside what is nested."""
    return {key: value if key == "event" else _without_secrets(key, value, MAX_DEPTH) for key, value in event.items()}


def _without_secrets(key: object, value: Any, depth: int) -> Any:
    if isinstance(key, str) and any(word in key.lower() for word in SECRET_WORDS):
        return "[hidden]"
    if isinstance(value, Mapping):
        if not depth:
            return "[too deep]"  # what is not looked at is not printed
        return {inner: _without_secrets(inner, one, depth - 1) for inner, one in value.items()}
    if type(value) in {list, tuple, set, frozenset}:
        return [_without_secrets(None, one, depth - 1) for one in value] if depth else "[too deep]"
    return value


def configure_logs(level: str, style: str, part: str) -> None:
    """Route structlog and the standard library through one formatter. `style` is `json` or `console`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(style, part))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _rendering(style: str, part: str) -> list[Processor]:
    def name_part(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["part"] = part
        return event

    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if style == "console":
        # The default formatter prints local variables: passwords and tokens would stand in the log.
        plain = structlog.dev.plain_traceback
        return [remove, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain)]
    return [remove, name_part, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_dumps)]


def _dumps(value: Any, **_: Any) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except (TypeError, ValueError):  # keys that are no strings, numbers over 64 bits, cycles: rather ugly than lost
        return msgspec.json.encode({str(key): repr(one) for key, one in value.items()}).decode()
