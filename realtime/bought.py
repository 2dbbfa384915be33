"""What is bought for rooms, as the bus tells of it: paid messages and gifts, and what is taken back."""

from collections.abc import Awaitable, Callable

from infra.bus.port import Bus, Message, Retry, Subscription
from payments.events import GiftGiven, GiftWithdrawn, MessagePaid, MessageWithdrawn
from realtime.gifts import GiftLog
from realtime.paid import PaidDelivery, PaidLog

GROUP = "bought"
PATIENCE = Retry(attempts=20, first_seconds=0.5, longest_seconds=60.0)  # a quarter of an hour without a room's shard


async def follow_bought(bus: Bus, delivery: PaidDelivery, paid: PaidLog, gifts: GiftLog) -> Subscription:
    """Bring everything to its room; one process of all does each. What is parked in the end `PaidDelivery.sweep` finds,
    but for what was to be taken away."""

    async def message_paid(message: Message) -> None:
        await delivery.offer(MessagePaid.from_message(message).order_id)

    async def message_withdrawn(message: Message) -> None:
        await paid.withdraw(MessageWithdrawn.from_message(message))

    async def gift_given(message: Message) -> None:
        await gifts.tell(GiftGiven.from_message(message))

    async def gift_withdrawn(message: Message) -> None:
        await gifts.take_back(GiftWithdrawn.from_message(message))

    work: dict[str, Callable[[Message], Awaitable[None]]] = {
        MessagePaid.topic: message_paid,
        MessageWithdrawn.topic: message_withdrawn,
        GiftGiven.topic: gift_given,
        GiftWithdrawn.topic: gift_withdrawn,
    }

    async def heard(message: Message) -> None:
        await work[message.topic](message)

    return await bus.subscribe(GROUP, list(work), heard, retry=PATIENCE)
