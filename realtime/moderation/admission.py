"""Whether somebody may speak, by the rules a node knows: pure. The log checks again, and counts; this is for messages
that wait for a moderator first."""

from realtime.errors import ChatBanned
from realtime.moderation.errors import (
    ChatEmoteOnly,
    ChatFollowersOnly,
    ChatReadOnly,
    ChatSubscribersOnly,
    ChatWarned,
)
from realtime.room.log import Draft, Rank
from realtime.room.rules import Rules


def admit(rules: Rules, draft: Draft, now: int) -> None:
    """Raise what the log would, for everything that does not depend on what was said before. `now` in milliseconds."""
    sanction = rules.sanctions.get(draft.user_id)
    if sanction is not None and (sanction.until is None or sanction.until > now):
        raise ChatBanned(retry_after_ms=None if sanction.until is None else sanction.until - now)
    if draft.rank is Rank.LET_THROUGH:
        return
    if caution := rules.cautions.get(draft.user_id):
        raise ChatWarned(warning={"id": caution.id, "reason": caution.reason})
    if rules.settings.read_only and draft.rank < Rank.MODERATES:
        raise ChatReadOnly
    if draft.rank is Rank.EVERYTHING:
        _admit_to_modes(rules, draft, now)


def _admit_to_modes(rules: Rules, draft: Draft, now: int) -> None:
    settings = rules.settings
    if settings.followers_seconds is not None:
        wait = None if draft.followed_at is None else draft.followed_at + settings.followers_seconds * 1000 - now
        if wait is None or wait > 0:
            raise ChatFollowersOnly(retry_after_ms=wait, followers_seconds=settings.followers_seconds)
    if settings.subscribers_only and not draft.subscriber:
        raise ChatSubscribersOnly
    if settings.emote_only and not draft.emotes_only:
        raise ChatEmoteOnly
