"""The catalogue with all that belongs to it, as the API uses it."""

from dataclasses import dataclass
from typing import Self

from infra.clock import Clock
from infra.stores.mongo import Mongo
from infra.stores.objects import Objects
from media.catalog.announcing import Publish
from media.catalog.attachments import Attachments
from media.catalog.history import History
from media.catalog.likes import Likes
from media.catalog.videos import Catalogue


@dataclass(frozen=True)
class Library:
    """It owns nothing that has to be closed."""

    catalogue: Catalogue
    attachments: Attachments
    likes: Likes
    history: History

    @classmethod
    def over(cls, mongo: Mongo, objects: Objects, publish: Publish, clock: Clock) -> Self:
        """As the program uses it."""
        catalogue = Catalogue(mongo, publish, clock)
        return cls(catalogue, Attachments(catalogue, objects), Likes(mongo, catalogue, clock), History(mongo, clock))
