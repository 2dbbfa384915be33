"""Numbers and durations as people say them."""

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def counted(number: int, noun: str) -> str:
    """`1 minute`, `2 minutes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: int) -> str:
    """The two largest parts: `1 day 2 hours`, `90 seconds` is `1 minute 30 seconds`."""
    parts, rest = [], seconds
    for noun, size in _UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(counted(number, noun))
    return " ".join(parts[:2]) or "0 seconds"
