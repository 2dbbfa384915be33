"""How a file is cut into parts, and whether all of them are there. Pure."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

MIB = 1 << 20
PART_BYTES = 8 * MIB
SMALLEST_PART_BYTES = 5 * MIB  # what S3 takes, of all parts but the last
MOST_PARTS = 10_000  # of S3


class ReceivedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that is in the store; `etag` is the store's own word for it."""

    number: int
    size_bytes: int
    etag: str


def part_bytes_for(size_bytes: int) -> int:
    """How long parts are: 8 MiB, or whole MiB more where that would be too many parts."""
    return max(PART_BYTES, -(-size_bytes // (MOST_PARTS * MIB)) * MIB)


def part_count(size_bytes: int, part_bytes: int) -> int:
    return -(-size_bytes // part_bytes)


def part_length(number: int, size_bytes: int, part_bytes: int) -> int:
    """Of part `number`, from 1 on: all are of one length but the last."""
    return min(part_bytes, size_bytes - (number - 1) * part_bytes)


def missing(
    size_bytes: int, part_bytes: int, received: Mapping[int, ReceivedPart], sums: Mapping[int, bytes]
) -> list[int]:
    """The parts that must be sent (again): not there, of a wrong length, or without a checksum to compare."""
    return [
        number
        for number in range(1, part_count(size_bytes, part_bytes) + 1)
        if number not in sums
        or number not in received
        or received[number].size_bytes != part_length(number, size_bytes, part_bytes)
    ]


def composite_sha256(sums: Sequence[bytes]) -> bytes:
    """The checksum S3 gives an object made of parts: that of their checksums, in order."""
    return hashlib.sha256(b"".join(sums)).digest()
