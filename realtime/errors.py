"""Everything a socket can be refused for, beside what the domains raise."""

from infra.errors import Conflict, Forbidden, Invalid, NotFound, TooMany


class TransportRefused(Invalid):
    code = "realtime.transport"
    message = "This request does not follow Engine.IO 4. Connect with a Socket.IO 4 client."


class SessionUnknown(Invalid):
    code = "realtime.session_unknown"
    message = "This session is not known, or it is over. Connect again."


class OriginRefused(Forbidden):
    code = "auth.origin"
    message = "This connection did not come from one of our own pages."


class UnknownEvent(Invalid):
    code = "request.unknown_event"
    message = "There is no such event."


class RoomNotFound(NotFound):
    code = "room.not_found"
    message = "There is no such stream."


class PremiumRoom(Forbidden):
    code = "room.premium"
    message = "This chat is for subscribers, as the stream is."


class NotInRoom(Conflict):
    code = "room.not_joined"
    message = "Join the room first."


class RoomEnded(Conflict):
    code = "room.ended"
    message = "The stream is over, and its chat with it."


class TooManyRooms(Conflict):
    code = "room.too_many"
    message = "You are in too many rooms. Leave one first."


class TextInvalid(Invalid):
    code = "chat.text_invalid"
    message = "This message cannot be sent."


class ChatTooFast(TooMany):
    code = "chat.too_fast"
    message = "You are writing too fast. Wait a moment."


class ChatSlowMode(TooMany):
    code = "chat.slow_mode"
    message = "This chat is in slow mode. Wait a moment before your next message."


class ChatBanned(Forbidden):
    """With `retry_after_ms` the ban ends by then; without, it is for good."""

    code = "chat.banned"
    message = "You may not write in this chat."


class EventsTooFast(TooMany):
    code = "limit.rate"
    message = "Too many events. Wait a moment and try again."
