"""Captions: what is read is written anew, and nothing that a browser could run or fetch comes through."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media.catalog.captions import LARGEST_BYTES, MOST_CUES, clean_language, read, rewritten, written
from media.catalog.errors import CaptionsInvalid

KNOWN_TAG = re.compile(r"</?(c|i|b|u|ruby|rt|v|lang)(\.[A-Za-z0-9_-]+)*( [^<>]*)?>|<(\d{2,3}:)?[0-5]\d:[0-5]\d\.\d{3}>")


def cue(text: str, times: str = "00:01.000 --> 00:02.000") -> str:
    """The text of the one cue of a file, as it is written anew."""
    made = rewritten(f"WEBVTT\n\n{times}\n{text}\n".encode()).decode()
    return made.partition("\n\n")[2].partition("\n")[2].rstrip("\n")


def test_a_file_of_every_kind_is_written_in_one_form() -> None:
    source = (
        "\ufeffWEBVTT - a title\r\nKind: captions\r\n\r\nNOTE\r\na comment --- here\r\n\r\nSTYLE\r\n"
        "::cue { background: url(https://example.com/x) }\r\n\r\nREGION\r\nid:fred\r\n\r\nfirst\r\n"
        "00:00:01.000\t-->  00:02.500 align:start size:50% evil:x region:fred line:10%,end\r\nOne\r\nTwo\r\n\r\n"
        "100:00:00.000 --> 100:00:01.000\r\nLate"
    )
    assert rewritten(source.encode()).decode() == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500 align:start size:50% line:10%,end\nOne\nTwo\n\n"
        "100:00:00.000 --> 100:00:01.000\nLate\n"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<v Mara>Hello <b>you</b></v>", "<v Mara>Hello <b>you</b></v>"),
        ("<c.yellow.bg_blue>x</c>", "<c.yellow.bg_blue>x</c>"),
        ("<lang en-GB>x</lang> <ruby>a<rt>b</rt></ruby>", "<lang en-GB>x</lang> <ruby>a<rt>b</rt></ruby>"),
        ("one <00:01.500>two", "one <00:01.500>two"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=alert(1)>x", "x"),
        ("<b onclick=alert(1)>x</b>", "<b>x</b>"),
        ("<v Mara<script>>x", "&lt;v Mara&gt;x"),
        ('<v "&lt;b&gt;">x', '<v "&lt;b&gt;">x'),
        ("a < b & c &lt;i&gt; &amp;amp;", "a &lt; b &amp; c &lt;i&gt; &amp;amp;"),
        ("a&#10;&#10;00:03.000 --&gt; 00:04.000", "a\n00:03.000 --&gt; 00:04.000"),
        ("a\u0000b&#0;", "ab\ufffd"),
    ],
)
def test_known_tags_stay_and_the_rest_is_text(text: str, shown: str) -> None:
    assert cue(text) == shown


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "header"),
        (b"WEBVTTX\n\n00:01.000 --> 00:02.000\nx", "header"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nan SRT file", "header"),
        (b"WEBVTT\n", "empty"),
        (b"WEBVTT\n\nNOTE nothing", "empty"),
        (b"WEBVTT\n\njust text", "times"),
        (b"WEBVTT\n\n00:02.000 --> 00:01.000\nx", "times"),
        (b"WEBVTT\n\n00:01.000 --> 00:01.000\nx", "times"),
        (b"WEBVTT\n\n00:61.000 --> 00:62.000\nx", "times"),
        (b"WEBVTT\n\n00:05.000 --> 00:06.000\nx\n\n00:04.000 --> 00:06.000\ny", "order"),
        (b"WEBVTT\n\n00:05.000 --> 00:06.000\nx\n00:06.000 --> 00:07.000\ny", "text"),
        (b"WEBVTT\n\n00:05.000 --> 00:06.000\n" + b"x" * 5001, "text"),
        (b"WEBVTT\n\n\xff", "encoding"),
        (b"WEBVTT\n\n00:05.000 --> 00:06.000\nx".ljust(LARGEST_BYTES + 1), "size"),
        (b"WEBVTT\n\n" + b"00:05.000 --> 00:06.000\nx\n\n" * (MOST_CUES + 1), "cues"),
    ],
)
def test_what_is_not_captions_is_refused_and_says_why(file: bytes, reason: str) -> None:
    with pytest.raises(CaptionsInvalid) as refused:
        rewritten(file)
    assert refused.value.details["reason"] == reason


@example(text="<x>\n0")
@example(text="0\n<x>\n&#10;<b>")
@given(text=st.text(alphabet=st.sampled_from("<>/&;#10.bcv -\n\t lang\"'script=x:"), max_size=200))
def test_whatever_is_sent_only_known_tags_come_out(text: str) -> None:
    source = f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n"
    try:
        made = rewritten(source.encode()).decode()
    except CaptionsInvalid:
        return
    assert written(read(made)) == made  # written anew, it is as it was
    body = made.partition("\n\n")[2]
    for tag in re.findall(r"<[^<>]*>", body):
        assert KNOWN_TAG.fullmatch(tag), tag
    left = re.sub(r"<[^<>]*>", "", body.replace("-->", ""))
    assert not {"<", ">"} & set(left)


@pytest.mark.parametrize(("tag", "cleaned"), [("en", "en"), ("pt-BR", "pt-br"), ("zh-Hant-TW", "zh-hant-tw")])
def test_languages_are_lower_case(tag: str, cleaned: str) -> None:
    assert clean_language(tag) == cleaned


@pytest.mark.parametrize("tag", ["", "e", "english", "en_GB", "en-", "../x", "en/x", "en-a-b-c-d-e-f"])
def test_what_is_no_language_is_refused(tag: str) -> None:
    with pytest.raises(CaptionsInvalid):
        clean_language(tag)
