"""Which errors a socket can answer, and where. What only one event is refused for stands in `CLIENT_EVENTS`."""

from accounts.errors import SessionOver, TokenExpired, TokenInvalid
from infra.errors import FootlightError, Invalid, Unavailable
from realtime.errors import EventsTooFast, OriginRefused, SessionUnknown, TransportRefused, UnknownEvent
from realtime.events import CLIENT_EVENTS, ClientEvent
from realtime.wire.places import TooManySockets

Errors = tuple[type[FootlightError], ...]

# answered as HTTP, before there is a socket
HANDSHAKE: Errors = (OriginRefused, SessionUnknown, TooManySockets, TransportRefused)
CONNECT: Errors = (Invalid, TokenInvalid, TokenExpired, SessionOver, Unavailable)
ANY_EVENT: Errors = (Invalid, EventsTooFast, Unavailable, FootlightError)
NO_EVENT: Errors = (UnknownEvent,)  # an event that is in no table


def refusals_of(event: ClientEvent) -> Errors:
    """Everything this event can be refused for."""
    return event.refusals + ANY_EVENT


def codes(errors: Errors) -> list[str]:
    return sorted({error.code for error in errors})


def all_errors() -> dict[str, type[FootlightError]]:
    """By code, sorted. Two classes of one code say the same."""
    every = HANDSHAKE + CONNECT + ANY_EVENT + NO_EVENT + tuple(e for event in CLIENT_EVENTS for e in event.refusals)
    return {error.code: error for error in sorted(every, key=lambda error: error.code)}
