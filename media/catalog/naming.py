"""Videos show their creator's name; when it changes, they follow."""

from accounts.events import ProfileChanged
from infra.bus.port import Bus, Message, Subscription
from media.catalog.videos import Catalogue

GROUP = "catalog.names"


async def follow_names(bus: Bus, catalogue: Catalogue) -> Subscription:
    """Until the subscription is closed; shared among all workers."""

    async def take(message: Message) -> None:
        event = ProfileChanged.from_message(message)
        await catalogue.renamed(event.user_id, event.display_name, event.at)

    return await bus.subscribe(GROUP, [ProfileChanged.topic], take)
