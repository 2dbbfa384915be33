"""What is paid once, by its kind: gifts and messages (`payments.sync.Effects`)."""

from infra.stores.postgres import Connection
from payments.giving import Giving
from payments.model import Order
from payments.paid_messages import Saying


class PaidOnce:
    """Sends each order to those who know its kind."""

    def __init__(self, giving: Giving, saying: Saying) -> None:
        self._giving = giving
        self._saying = saying

    async def paid(self, connection: Connection, order: Order) -> None:
        match order.kind:
            case "gift":
                await self._giving.paid(connection, order)
            case "paid_message":
                await self._saying.paid(connection, order)

    async def withdrawn(self, connection: Connection, order: Order) -> None:
        match order.kind:
            case "gift":
                await self._giving.withdrawn(connection, order)
            case "paid_message":
                await self._saying.withdrawn(connection, order)

    async def disputed(self, connection: Connection, order: Order) -> None:
        """A bank has the money until it decides. What was said goes at once; gifts stay until the decision."""
        if order.kind == "paid_message":
            await self._saying.withdrawn(connection, order, "disputed")
