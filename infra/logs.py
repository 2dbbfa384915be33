"""Structured logs: one JSON object a line for machines, aligned words for a person at a terminal.

Every line carries the correlation id of the request, job or socket event that caused it; the id travels
HTTP -> bus -> worker -> socket event, so one search finds a whole story. Levels: DEBUG, INFO, ERROR.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

# Keys that must never be printed, whatever a caller passes.
SECRET_WORDS = ("password", "token", "secret", "cookie", "authorization", "stream_key")


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
    """Replace the values of secret-looking keys."""
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS):
            event[key] = "[hidden]"
    return event


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
    for noisy in ("uvicorn.access", "aio_pika", "aiormq", "botocore", "elastic_transport", "engineio", "socketio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


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
    return msgspec.json.encode(value, enc_hook=str).decode()
