"""Everything chat and moderation can be refused for, beside the room's own errors."""

from infra.errors import Conflict, Forbidden, Invalid, NotFound, TooMany


class NotAllowed(Forbidden):
    """`details.capability` names what is missing."""

    code = "mod.not_allowed"
    message = "You may not do this in this channel."


class CannotActOn(Forbidden):
    code = "mod.protected_user"
    message = "You cannot do this to somebody with the same or a higher role."


class UnknownUser(NotFound):
    code = "mod.unknown_user"
    message = "There is nobody of that name."


class ChannelNotFound(NotFound):
    code = "channel.not_found"
    message = "There is no such channel."


class AmbiguousUser(Conflict):
    """`details.users` = `[{id, name}, ...]`."""

    code = "mod.ambiguous_user"
    message = "Several people have that name. Choose one from the list."


class MessageGone(NotFound):
    code = "mod.message_gone"
    message = "This message is not in the chat any more."


class NothingToUndo(Conflict):
    code = "mod.nothing_to_undo"
    message = "This cannot be undone (any more)."


class AlreadySo(Conflict):
    code = "mod.already_so"
    message = "That is so already."


class TooManyOfThese(Conflict):
    """`details.max` is the limit."""

    code = "mod.too_many"
    message = "There is no room for another one."


class HeldGone(NotFound):
    code = "mod.held_gone"
    message = "This message was decided already, or its time is over."


class HeldClaimed(Conflict):
    """`details.by` is the moderator's name; `retry_after_ms` when it is free again."""

    code = "mod.held_claimed"
    message = "Another moderator is looking at this message."


class CommandUnknown(Invalid):
    code = "command.unknown"
    message = "There is no such command. Type /help for the list."


class CommandMalformed(Invalid):
    """`details.usage` shows how it is written."""

    code = "command.malformed"
    message = "This command is written differently."


class ChatWarned(Forbidden):
    """`details.warning` = `{id, reason}`."""

    code = "chat.warned"
    message = "A moderator warned you. Acknowledge the warning to go on writing."


class ChatReadOnly(Forbidden):
    code = "chat.read_only"
    message = "Only moderators may write here just now."


class ChatFollowersOnly(Forbidden):
    """With `retry_after_ms` you follow already, but not long enough; `details.followers_seconds` is what is asked."""

    code = "chat.followers_only"
    message = "Only followers may write here just now."


class ChatSubscribersOnly(Forbidden):
    code = "chat.subscribers_only"
    message = "Only subscribers may write here just now."


class ChatEmoteOnly(Forbidden):
    code = "chat.emote_only"
    message = "Only emotes may be sent here just now."


class ChatNotUnique(Conflict):
    code = "chat.not_unique"
    message = "This was said already. Say it in your own words."


class ChatBlocked(Invalid):
    """`details.reasons`: in words, never a private term."""

    code = "chat.blocked"
    message = "This message breaks a rule of this channel."


class PollClosed(Conflict):
    code = "poll.closed"
    message = "This poll is over."


class PollVoted(Conflict):
    code = "poll.voted"
    message = "You have voted already."


class PollOpen(Conflict):
    code = "poll.open"
    message = "A poll is open already. Close it first."


class RaidTarget(Conflict):
    code = "raid.target"
    message = "That channel cannot be raided just now: it must be live, and not be this one."


class RestrictedHere(Forbidden):
    """For reactions, votes and following."""

    code = "chat.banned"
    message = "You may not take part in this chat."


class UnbanRequestOpen(Conflict):
    code = "unban.already_open"
    message = "You have asked already. A moderator will answer."


class NotBanned(Conflict):
    code = "unban.not_banned"
    message = "You are not banned in this channel."


class EmoteInvalid(Invalid):
    """`details.reason`: code, size, type or dimensions."""

    code = "emote.invalid"
    message = "This emote cannot be used."


class ReactionsTooFast(TooMany):
    code = "chat.too_fast"
    message = "You are reacting too fast. Wait a moment."
