"""Links in a text, plain or disguised (`example dot com`), found word by word: the work is linear."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from unicodedata import category, normalize

# Endings that a bare `name.ending` must have to be a link: after a full stop people forget the space, "so.Then".
ENDINGS = frozenset(
    [
        "com",
        "net",
        "org",
        "io",
        "tv",
        "gg",
        "info",
        "biz",
        "xyz",
        "online",
        "site",
        "shop",
        "store",
        "live",
        "link",
        "click",
        "top",
        "club",
        "app",
        "dev",
        "me",
        "co",
        "ru",
        "de",
        "uk",
        "fr",
        "es",
        "it",
        "nl",
        "pl",
        "br",
        "eu",
        "us",
        "ca",
        "cn",
        "jp",
        "in",
        "tk",
        "ml",
        "ga",
        "cf",
        "ly",
        "to",
        "gl",
        "be",
        "cc",
        "ws",
        "pw",
        "vip",
        "win",
        "icu",
        "fun",
        "space",
        "website",
        "stream",
    ]
)
DISGUISED_ENDINGS = frozenset(["com", "net", "org", "io", "tv", "gg", "ru", "xyz"])
DOTS = frozenset(("dot", "(dot)", "[dot]", "{dot}", "(.)", "[.]", "{.}"))
EDGES = "\"'`<>()[]{},;!?*_~.:"


class Link(NamedTuple):
    """`host` is empty when nobody can say for sure where it leads."""

    host: str
    start: int
    end: int


def links_in(text: str) -> list[Link]:
    words = list(_words(text))
    found = [Link(host, start, end) for word, start, end in words if (host := _host(word)) is not None]
    for (name, start, _), (dot, _, _), (ending, _, end) in zip(words, words[1:], words[2:], strict=False):
        if dot in DOTS and len(name) >= 4 and name.strip(EDGES).isalnum() and ending.strip(EDGES) in DISGUISED_ENDINGS:
            found.append(Link("", start, end))
    return found


def is_allowed(link: Link, domains: Iterable[str]) -> bool:
    """Whether it leads to one of these domains or below one."""
    return any(link.host == domain or link.host.endswith("." + domain) for domain in map(str.lower, domains))


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Words as a browser would read them, and where they stand."""
    position = 0
    for part in text.split():
        start = text.index(part, position)
        position = start + len(part)
        plain = part.lower() if part.isascii() else _plain(part)
        yield plain, start, position


@lru_cache(maxsize=4096)
def _plain(part: str) -> str:
    folded = normalize("NFKC", part).casefold().replace("。", ".")
    return "".join(character for character in folded if category(character) != "Cf")


def _host(word: str) -> str | None:
    """Where the word leads, "" if that is a riddle, None if it is no link."""
    if not ("." in word or "dot" in word or "://" in word):
        return None
    disguised = any(dot in word for dot in ("[.]", "(.)", "{.}", "(dot)", "[dot]"))
    for dot in ("[.]", "(.)", "{.}", "(dot)", "[dot]"):
        word = word.replace(dot, ".")
    word = word.strip(EDGES)
    _, scheme, rest = word.partition("://")
    authority = rest if scheme else word
    for sign in "/?#":
        authority = authority.partition(sign)[0]
    riddle = disguised or "@" in authority or "\\" in word
    host = authority.rpartition("@")[2].partition(":")[0].rstrip(".")
    if scheme:
        return "" if riddle else host
    labels = host.split(".")
    if len(labels) < 2 or not all(labels) or not all(label.replace("-", "").isalnum() for label in labels):
        return None
    if labels[0] == "www" or labels[-1] in ENDINGS:
        return "" if riddle else host
    return None
