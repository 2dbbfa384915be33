"""What is asked of the search, as a request body for Elasticsearch; and where a list of results goes on. Pure.

Nothing of a user's is ever parsed by the server: words are values of `multi_match` and `term`, never `query_string`,
regular expressions or scripts. Fuzzy and prefix expansions are bounded here, so that the longest question is cheap.
"""

import hashlib
import math
import re
import struct
import unicodedata
from datetime import datetime
from typing import Any, Literal

import msgspec

from infra import cursors
from infra.errors import Invalid

Sort = Literal["relevance", "newest", "views"]
Body = dict[str, Any]

MAX_QUERY = 200  # characters
MAX_WORDS, MAX_PHRASES, MAX_EXCLUDED = 16, 4, 8
FEW = 5  # so few hits that misspelt words are looked for too
# 8 words of 3 fields and 20 expansions are 480 clauses; Elasticsearch refuses more than 1024.
FUZZY_WORDS, EXPANSIONS = 8, 20
MAX_TOTAL = 10_000  # counted exactly so far; counting all matches of a common word costs more than finding the best
FIELDS = ("title^4", "tags^2", "creator_name^2", "description")
MARK, END_MARK = "\ue000", "\ue001"  # private code points, which no title or description may have
FRAGMENT = 160  # characters of a description around what matched
PIECE = re.compile(r'(-?)"([^"]*)"|(\S+)')


class Terms(msgspec.Struct, frozen=True):
    """A question in parts. `silent`: something was asked, but nothing in it that can be looked for."""

    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    silent: bool = False

    @property
    def is_ranked(self) -> bool:
        return bool(self.words or self.phrases)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One search. Times are of publication, `until` is not included; seconds are inclusive."""

    q: str = ""
    creator: str | None = None
    category: str | None = None
    premium: bool | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = "relevance"


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a list goes on: the sort values of its last hit. `asked` tells one question's places from another's."""

    asked: str
    tolerant: bool
    values: list[float | str]


def terms_of(q: str) -> Terms:
    """`words "a phrase" -without -"this phrase"`; a quote without its partner is nothing special."""
    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    text = unicodedata.normalize("NFC", q[:MAX_QUERY])
    for sign, phrase, word in PIECE.findall(text):
        negative = sign == "-" or (len(word) > 1 and word[0] == "-")
        found = (phrase or word.lstrip("-")).replace('"', " ").strip()
        if not _can_be_found(found):
            continue
        (excluded if negative else phrases if phrase else words).append(found)
    silent = bool(text.strip()) and not (words or phrases or excluded)
    return Terms(words[:MAX_WORDS], phrases[:MAX_PHRASES], excluded[:MAX_EXCLUDED], silent)


def _can_be_found(text: str) -> bool:
    """Whether the analyzer makes a word of it: it drops punctuation."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def order_of(asked: Asked, terms: Terms) -> Sort:
    """Without words there is nothing to be relevant to."""
    return "newest" if asked.sort == "relevance" and not terms.is_ranked else asked.sort


def search_body(
    asked: Asked, terms: Terms, viewer_id: str | None, place: Place | None, limit: int, *, tolerant: bool
) -> Body:
    """The request: `limit` hits and one more, to know whether there is another page.

    `tolerant` finds misspelt words too, and needs only most of the words.
    """
    body: Body = {
        "query": {
            "bool": {
                "filter": _filters(asked),
                "must": [*_words(terms.words, tolerant=tolerant), *map(_phrase, terms.phrases)],
                "must_not": [hidden_from(viewer_id), *map(_phrase, terms.excluded)],
                "should": [],
            }
        },
        "sort": SORTS[order_of(asked, terms)],
        "size": limit + 1,
        "_source": False,
        "track_total_hits": MAX_TOTAL,
    }
    if len(terms.words) > 1:  # the words beside each other are better than the words anywhere
        beside = {"query": " ".join(terms.words), "slop": 1, "boost": 6}
        body["query"]["bool"]["should"].append({"match_phrase": {"title": beside}})
    if terms.is_ranked:
        body["highlight"] = HIGHLIGHT
    if place is not None:
        body["search_after"] = place.values
    return body


SORTS: dict[Sort, list[Body]] = {
    "relevance": [{"_score": {"order": "desc"}}, {"published_at": {"order": "desc"}}, {"id": {"order": "desc"}}],
    "newest": [{"published_at": {"order": "desc"}}, {"id": {"order": "desc"}}],
    "views": [{"view_count": {"order": "desc"}}, {"published_at": {"order": "desc"}}, {"id": {"order": "desc"}}],
}
HIGHLIGHT: Body = {
    "pre_tags": [MARK],
    "post_tags": [END_MARK],
    "fields": {
        "title": {"number_of_fragments": 0},
        "description": {"number_of_fragments": 1, "fragment_size": FRAGMENT},
    },
}


def hidden_from(viewer_id: str | None) -> Body:
    """What is not listed, unless it is one's own. The few are excluded: to collect the many would cost each search."""
    if viewer_id is None:
        return {"term": {"listed": False}}
    return {"bool": {"filter": [{"term": {"listed": False}}], "must_not": [{"term": {"creator_id": viewer_id}}]}}


def _filters(asked: Asked) -> list[Body]:
    exact = {"creator_id": asked.creator, "category": asked.category, "premium": asked.premium}
    seconds = {"gte": asked.min_seconds, "lte": asked.max_seconds}
    published = {"gte": _moment(asked.since), "lt": _moment(asked.until)}
    ranges: dict[str, Body] = {"duration_seconds": seconds, "published_at": published}
    terms: list[Body] = [{"term": {name: value}} for name, value in exact.items() if value is not None]
    for name, ends in ranges.items():
        if known := {end: value for end, value in ends.items() if value is not None}:
            terms.append({"range": {name: known}})
    return terms


def _moment(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def _words(words: list[str], *, tolerant: bool) -> list[Body]:
    """All the words, each in any field; or most of them, the first ones also misspelt."""
    if not tolerant:
        return [_word(word, FIELDS) for word in words]
    clauses = [_misspelt(word) if number < FUZZY_WORDS else _word(word, FIELDS) for number, word in enumerate(words)]
    return [{"bool": {"should": clauses, "minimum_should_match": "2<75%"}}] if clauses else []


def _word(word: str, fields: tuple[str, ...], **how: Any) -> Body:
    return {"multi_match": {"query": word, "fields": list(fields), "operator": "and", "tie_breaker": 0.2, **how}}


def _misspelt(word: str) -> Body:
    """One or two letters wrong in what is short; in a description only as it is written."""
    fuzzy = _word(word, FIELDS[:-1], fuzziness="AUTO", prefix_length=1, max_expansions=EXPANSIONS)
    return {"dis_max": {"queries": [fuzzy, _word(word, FIELDS[-1:])]}}


def _phrase(text: str) -> Body:
    return {"multi_match": {"query": text, "fields": list(FIELDS), "type": "phrase"}}


def fingerprint(asked: Asked, viewer_id: str | None) -> str:
    """The same for the same question of the same asker."""
    packed = msgspec.msgpack.encode([asked, viewer_id])
    return hashlib.blake2b(packed, digest_size=6).hexdigest()


def encode_place(asked: Asked, viewer_id: str | None, values: list[Any], *, tolerant: bool) -> str:
    return cursors.encode(Place(fingerprint(asked, viewer_id), tolerant, [exactly(value) for value in values]))


def exactly(value: Any) -> Any:
    """A score as the server counts it, in 32 bits: what it writes is shorter, and not equal to it in 64."""
    return struct.unpack("f", struct.pack("f", value))[0] if isinstance(value, float) else value


def decode_place(cursor: str | None, asked: Asked, terms: Terms, viewer_id: str | None) -> Place | None:
    """Raises `Invalid` for what is not ours, or belongs to another search."""
    place = cursors.decode(cursor, Place)
    if place is None:
        return None
    *numbers, last = place.values or [0]
    whole = isinstance(last, str) and len(last) <= 64 and len(place.values) == len(SORTS[order_of(asked, terms)])
    plain = all(not isinstance(number, str) and math.isfinite(number) and abs(number) < 2**62 for number in numbers)
    if place.asked != fingerprint(asked, viewer_id) or not whole or not plain:
        raise Invalid("The cursor belongs to another search.", fields={"cursor": "must be of the same search"})
    return place


# --- suggestions

SUGGESTIONS = 8
MAX_TYPED = 60  # characters of what is typed that count
TITLES, CREATORS, TAGS = 8, 3, 20  # hits asked for; one tag may come with many of them


def typed_of(q: str) -> str:
    """What was typed so far, folded as the analyzers fold it; empty when there is nothing to go on."""
    parts = unicodedata.normalize("NFKD", " ".join(q[:MAX_TYPED].split()).lower())
    text = "".join(character for character in parts if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", text) if _can_be_found(text) else ""


def suggest_bodies(typed: str) -> list[Body]:
    """One request each for titles, creators and tags that begin so, for what everybody finds."""
    titles = {"match_bool_prefix": {"title": {"query": typed, "operator": "and"}}}
    most_viewed = [{"_score": {"order": "desc"}}, {"view_count": {"order": "desc"}}]
    return [
        # One letter begins a word of most titles: nothing to go on, and slow to find out.
        {
            **_suggested(titles if len(typed) > 1 or not typed.isascii() else NOTHING, "title", TITLES),
            "sort": most_viewed,
        },
        {**_suggested(_begins("creator_name", typed), "creator_name", CREATORS), "collapse": {"field": "creator_id"}},
        _suggested(_begins("tags", typed), "tags", TAGS),
    ]


NOTHING: Body = {"match_none": {}}


def _suggested(query: Body, field: str, size: int) -> Body:
    wanted = {"bool": {"must": [query], "must_not": [hidden_from(None)]}}
    return {"query": wanted, "size": size, "_source": [field], "track_total_hits": False}


def _begins(field: str, typed: str) -> Body:
    return {"prefix": {f"{field}.folded": {"value": typed}}}


def pieces_of(marked: str) -> list[tuple[str, bool]]:
    """A highlighted text cut at its marks: (text, whether it matched)."""
    pieces: list[tuple[str, bool]] = []
    matched = False
    for part in re.split(f"([{MARK}{END_MARK}])", marked):
        if part in (MARK, END_MARK):
            matched = part == MARK
        elif part:
            pieces.append((part, matched))
    return pieces
