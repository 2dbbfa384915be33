"""Who gets gifts: the same again for the same question, nobody twice, never the giver, and all with the same chance."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from payments.choosing import chosen

IDS = st.uuids().map(str)
ROOM = st.lists(IDS, max_size=40)


@given(IDS, ROOM, st.integers(0, 50), st.randoms(use_true_random=False))
def test_the_same_is_chosen_again_in_whatever_order_people_are_listed(order_id, room, count, dice) -> None:  # type: ignore[no-untyped-def]  # strategies say it
    again = room + room[: len(room) // 2]
    dice.shuffle(again)
    assert chosen(order_id, again, count) == chosen(order_id, room, count)


@given(IDS, ROOM, st.integers(0, 50), st.data())
def test_nobody_is_chosen_twice_or_against_the_rules(order_id, room, count, data) -> None:  # type: ignore[no-untyped-def]  # strategies say it
    without = set(data.draw(st.lists(st.sampled_from(room), max_size=5))) if room else set()
    found = chosen(order_id, room, count, without=without)
    assert len(found) == len(set(found)) == min(count, len(set(room) - without))
    assert set(found) <= set(room) - without


@given(IDS, st.lists(IDS, min_size=2, max_size=40, unique=True), st.data())
def test_who_leaves_makes_room_for_the_next_and_moves_nobody_else(order_id, room, data) -> None:  # type: ignore[no-untyped-def]  # strategies say it
    count = data.draw(st.integers(1, len(room) - 1))
    before = chosen(order_id, room, count)
    leaves = data.draw(st.sampled_from(room))
    after = chosen(order_id, [one for one in room if one != leaves], count)
    assert [one for one in before if one != leaves] == [one for one in after if one in before]


def test_everybody_has_the_same_chance() -> None:
    room = [f"viewer {number}" for number in range(20)]
    wins = Counter(one for number in range(4000) for one in chosen(f"order {number}", room, 3))
    expected = 4000 * 3 / 20
    chi_squared = sum((wins[one] - expected) ** 2 / expected for one in room)
    assert chi_squared < 43.8  # 19 degrees of freedom: a fair draw is above it once in a thousand
    firsts = Counter(chosen(f"order {number}", room, 1)[0] for number in range(4000))
    assert len(firsts) == 20
