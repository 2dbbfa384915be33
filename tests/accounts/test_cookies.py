"""Whatever stands beside our cookies, they are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE, read_cookies


@pytest.mark.parametrize(
    "beside",
    [
        "x",
        "",
        'pref={"a":1}',
        "a=b=c",
        "=",
        "ключ=значение",
        "a[0]=1",
        "a,b=c",
        'open="quote',
        "\x00=1",
        REFRESH_COOKIE,
    ],
)
def test_an_odd_cookie_hides_no_other(beside: str) -> None:
    assert read_cookies([f"{beside}; {REFRESH_COOKIE}=token"])[REFRESH_COOKIE] == "token"
    assert read_cookies([beside, f"{REFRESH_COOKIE}=token"])[REFRESH_COOKIE] == "token"


def test_names_and_values_are_trimmed_and_unquoted() -> None:
    assert read_cookies([' a = "b" ;c=;d="']) == {"a": "b", "c": "", "d": '"'}


def test_the_first_of_two_cookies_counts() -> None:
    assert read_cookies(["a=1; a=2", "a=3"]) == {"a": "1"}


@given(st.lists(st.text(st.characters(exclude_characters=";"), max_size=30), max_size=6))
def test_nothing_a_client_sends_disturbs_the_reader(pairs: list[str]) -> None:
    others = [pair for pair in pairs if ACCESS_COOKIE not in pair]
    assert read_cookies(["; ".join([*others, f"{ACCESS_COOKIE}=token"])])[ACCESS_COOKIE] == "token"
