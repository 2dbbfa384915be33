"""Messages that are paid for. The rules are in `payments/paid_messages.py`; showing them is the room's."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.channels import Cursor, Limit
from api.errors import problems
from api.gifts import ORDERED, require_own
from api.identity import signed_in
from api.payments import ShownOrder, Uuid, shown_order
from api.uploads import RequestKey
from infra.errors import Forbidden
from payments.errors import AmountNotAllowed, PaidMessagesOff, StreamIsNotLive
from payments.model import PaidMessageState
from payments.paid_messages import Entry, PaidMessages
from realtime.errors import ChatBanned, PremiumRoom, TextInvalid
from realtime.moderation.errors import ChatBlocked, ChatReadOnly, ChatWarned

REFUSED = (TextInvalid, ChatBanned, ChatWarned, ChatReadOnly, ChatBlocked, PremiumRoom)


class NewPaidMessage(msgspec.Struct, forbid_unknown_fields=True):
    """`amount_minor` is before tax, in the currency of the plans; it decides how long the message is on top."""

    stream_id: Uuid
    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    amount_minor: Annotated[int, Meta(ge=1, le=1_000_000_000)]


class ShownPaidMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: draft is not paid; paid is on its way to the room; held waits for a moderator; denied goes back, for
    what `outcome` says (`denied`, `banned`, `stream_over`, `not_in_time`); withdrawn: the money is back.
    """

    order_id: str
    stream_id: str
    channel_id: str
    user_id: str
    text: str
    amount_minor: int
    currency: str
    on_top_seconds: int
    state: PaidMessageState
    outcome: str | None
    created_at: datetime
    paid_at: datetime | None


class ShownPaidMessages(msgspec.Struct, frozen=True):
    """Newest first."""

    messages: list[ShownPaidMessage]
    next_cursor: str | None


class PaidMessageController(Controller):
    path = "/paid-messages"
    tags = ("Payments",)
    response_headers = NO_STORE

    @post(
        "/",
        status_code=201,
        guards=[signed_in],
        operation_id="payForMessage",
        summary="Go to the payment page for a message",
        description="The channel's filters look at the text first: what they refuse costs nothing. A message that "
        "cannot be shown within 30 minutes of its payment is paid back, as is one that a moderator denies.",
        security=KNOWN_USER,
        responses=problems(
            *NEEDS_USER, AmountNotAllowed, StreamIsNotLive, PaidMessagesOff, *REFUSED, *ORDERED, body=True
        ),
    )
    async def pay(
        self,
        data: Annotated[
            NewPaidMessage,
            Body(
                examples=[
                    Example(
                        summary="a minute on top",
                        value={
                            "stream_id": "0198c5a0-1c2d-7e00-8f10-213243546576",
                            "text": "For the tea!",
                            "amount_minor": 1000,
                        },
                    )
                ]
            ),
        ],
        paid_messages: NamedDependency[PaidMessages],
        identity: NamedDependency[Identity],
        request_key: RequestKey = None,
    ) -> ShownOrder:
        order = await paid_messages.begin(
            identity, data.stream_id, data.text, data.amount_minor, request_key=request_key
        )
        return shown_order(order)

    @get(
        "/",
        guards=[signed_in],
        operation_id="listPaidMessages",
        summary="One's own, also those that were not paid",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def mine(
        self,
        paid_messages: NamedDependency[PaidMessages],
        identity: NamedDependency[Identity],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ShownPaidMessages:
        return _shown(*await paid_messages.of(identity.user_id, cursor, limit))


class ChannelPaidMessageController(Controller):
    path = "/channels"
    tags = ("Payments",)
    response_headers = NO_STORE

    @get(
        "/{channel_id:str}/paid-messages",
        guards=[signed_in],
        operation_id="listChannelPaidMessages",
        summary="What was paid to be said on one's own channel",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, Forbidden),
    )
    async def of_channel(
        self,
        channel_id: FromPath[str],
        paid_messages: NamedDependency[PaidMessages],
        identity: NamedDependency[Identity],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ShownPaidMessages:
        require_own(channel_id, identity)
        return _shown(*await paid_messages.of_channel(channel_id, cursor, limit))


def _shown(entries: list[Entry], next_cursor: str | None) -> ShownPaidMessages:
    return ShownPaidMessages([_one(entry) for entry in entries], next_cursor)


def _one(entry: Entry) -> ShownPaidMessage:
    message = entry.message
    names = [name for name in ShownPaidMessage.__struct_fields__ if name != "outcome"]
    return ShownPaidMessage(**{name: getattr(message, name) for name in names}, outcome=entry.outcome)
