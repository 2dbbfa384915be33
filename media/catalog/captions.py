"""Captions: from a WebVTT file that a stranger sent to one that we wrote (https://www.w3.org/TR/webvtt1/). Pure.

Cues are read and written anew: times in one form, only the settings and tags that the standard knows, everything else
as text. Styles, regions, comments and headers are left behind. So a browser gets nothing that it could run or fetch.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from media.catalog.errors import CaptionsInvalid

LARGEST_BYTES = 2 << 20
MOST_CUES = 20_000
LONGEST_CUE = 5_000  # characters
LONGEST_LANGUAGE = 35

# BCP 47 in lower case, without private use: a language and up to four parts more.
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,4}")
TIME = r"(?:(\d{2,3}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
TIMING = re.compile(rf"[ \t]*{TIME}[ \t]+-->[ \t]+{TIME}(?:[ \t]+(.*))?")
PERCENT = r"\d{1,3}(?:\.\d{1,4})?%"
SETTINGS = {
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(rf"(?:-?\d{{1,4}}|{PERCENT})(?:,(?:start|center|end))?"),
    "position": re.compile(rf"{PERCENT}(?:,(?:line-left|center|line-right))?"),
    "size": re.compile(PERCENT),
    "align": re.compile(r"start|center|end|left|right"),
}
TAG = re.compile(r"<([^<>]*)>")
MOMENT = re.compile(TIME)
CLASSES = r"(?:\.[A-Za-z0-9_-]{1,40}){0,8}"
OPENING = re.compile(rf"(c|i|b|u|ruby|rt|v|lang)({CLASSES})(?:[ \t\n]+(.*))?", re.DOTALL)
CLOSING = re.compile(r"/(c|i|b|u|ruby|rt|v|lang)")
ANNOTATED = frozenset({"v", "lang"})


@dataclass(frozen=True, slots=True)
class Cue:
    """Some text from one moment to another, in milliseconds; text and settings as they are written."""

    start_ms: int
    end_ms: int
    settings: str
    text: str


def clean_language(text: str) -> str:
    """A BCP 47 tag in lower case; raises `CaptionsInvalid`."""
    language = text.lower()
    if len(language) > LONGEST_LANGUAGE or not LANGUAGE.fullmatch(language):
        raise CaptionsInvalid("The language must be a tag such as en or pt-br.", reason="language")
    return language


def rewritten(data: bytes) -> bytes:
    """The same captions in a file of our own. Raises `CaptionsInvalid` with `details.reason` and `details.line`."""
    if len(data) > LARGEST_BYTES:
        raise CaptionsInvalid(reason="size", max_bytes=LARGEST_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CaptionsInvalid("The file must be UTF-8.", reason="encoding") from None
    return written(read(text)).encode()


def read(text: str) -> list[Cue]:
    """The cues of a file. Raises `CaptionsInvalid`."""
    lines = re.split(r"\r\n|\r|\n", text)
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        raise CaptionsInvalid("The first line must be WEBVTT.", reason="header", line=1)
    cues: list[Cue] = []
    for number, block in _blocks(lines):
        cue = _cue(number, block)
        if cue is None:
            continue
        if cues and cue.start_ms < cues[-1].start_ms:
            raise CaptionsInvalid("Cues must be in the order of their times.", reason="order", line=number)
        cues.append(cue)
        if len(cues) > MOST_CUES:
            raise CaptionsInvalid(reason="cues", max_cues=MOST_CUES)
    if not cues:
        raise CaptionsInvalid("There is no cue in the file.", reason="empty")
    return cues


def written(cues: Sequence[Cue]) -> str:
    """A file of these cues."""
    blocks = ["WEBVTT"]
    for cue in cues:
        settings = f" {cue.settings}" if cue.settings else ""
        blocks.append(f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}{settings}\n{cue.text}")
    return "\n\n".join(blocks) + "\n"


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Lines that stand together after the header, and the number of the first."""
    block: list[str] = []
    in_header = True
    for number, line in enumerate([*lines[1:], ""], start=2):
        if line:
            block.append(line)
        elif block and not in_header:
            yield number - len(block), block
            block = []
        elif not line:
            block, in_header = [], False


def _cue(number: int, block: Sequence[str]) -> Cue | None:
    """The cue of a block; None for a comment, a style or a region."""
    place = next((place for place, line in enumerate(block[:2]) if "-->" in line), None)
    if place is None:
        if re.match(r"(NOTE|STYLE|REGION)(?=[ \t]|$)", block[0]):
            return None
        raise CaptionsInvalid("A cue has no times.", reason="times", line=number)
    timing = TIMING.fullmatch(block[place])
    if timing is None:
        raise CaptionsInvalid("The times of a cue cannot be read.", reason="times", line=number + place)
    start_ms, end_ms = _ms(timing.groups()[:4]), _ms(timing.groups()[4:8])
    if start_ms >= end_ms:
        raise CaptionsInvalid("A cue must end after it starts.", reason="times", line=number + place)
    text = "\n".join(block[place + 1 :])
    if len(text) > LONGEST_CUE or "-->" in text:
        raise CaptionsInvalid("The text of a cue cannot be read.", reason="text", line=number + place)
    return Cue(start_ms, end_ms, _settings(timing[9] or ""), _text(text))


def _settings(text: str) -> str:
    """Those that the standard knows, each once."""
    known: dict[str, str] = {}
    for setting in text.split():
        name, _, value = setting.partition(":")
        if name in SETTINGS and SETTINGS[name].fullmatch(value):
            known[name] = f"{name}:{value}"
    return " ".join(known.values())


def _text(text: str) -> str:
    """Tags that the standard knows, and everything else as text."""
    found: list[str] = []
    place = 0
    for tag in TAG.finditer(text):
        found += [_escaped(text[place : tag.start()]), _tag(tag[1])]
        place = tag.end()
    found.append(_escaped(text[place:]))
    # A line of nothing but unknown tags or references is empty now, and an empty line would end the cue.
    return "\n".join(line for line in "".join(found).split("\n") if line)


def _tag(inside: str) -> str:
    """The tag written anew; nothing for one that is not known."""
    if MOMENT.fullmatch(inside) or CLOSING.fullmatch(inside):
        return f"<{inside}>"
    opening = OPENING.fullmatch(inside)
    if opening is None:
        return ""
    name, classes, annotation = opening[1], opening[2], opening[3]
    told = _escaped(" ".join((annotation or "").split())) if name in ANNOTATED else ""
    return f"<{name}{classes}{' ' + told if told else ''}>"


def _escaped(text: str) -> str:
    """As text: what looks like a reference is read first, so that nothing is escaped twice."""
    shown = "".join(
        character
        for character in html.unescape(text)
        if character == "\n" or unicodedata.category(character) not in ("Cc", "Cs")
    )
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ms(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def _clock(moment_ms: int) -> str:
    seconds, thousandths = divmod(moment_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"
