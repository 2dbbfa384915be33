"""CPU time of processes that come and go."""

from loadtest.watch import spent


def test_a_killed_process_takes_no_time_away() -> None:
    assert spent({1: 5.0, 2: 7.0}, {1: 6.0}) == 1.0


def test_a_process_that_began_counts_whole() -> None:
    assert spent({1: 5.0}, {1: 5.5, 3: 0.5}) == 1.0
