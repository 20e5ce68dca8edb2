"""Calls of a service begin no faster than its rate, however many threads make them and however often they pause."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from plait.aws.pace import Pace


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(
    rate=st.floats(0.1, 1000),
    calls=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 100)), min_size=1, max_size=50),
)
def test_in_no_stretch_of_time_more_calls_begin_than_the_rate_allows(
    rate: float, calls: list[tuple[float, int]]
) -> None:
    """Each asks after a pause of its own; idle time saves no turns for later."""
    clock = Clock()
    pace = Pace({"s3": rate}, clock)
    begun = []
    for pause, number in calls:
        clock.now += pause
        begun.append((clock.now + pace.take_turn("s3:GetObject", number), number))
    for (first, number), (following, _) in pairwise(begun):
        assert following - first >= number / rate * (1 - 1e-6) - 1e-6
    assert begun[0][0] == 1000 + calls[0][0]


def test_operations_share_the_rate_of_their_service_and_others_never_wait() -> None:
    pace = Pace({"s3": 8, "dynamodb": 1}, Clock())
    waits = [pace.take_turn(operation, 1) for operation in ("s3:GetObject", "s3:PutObject", "s3:GetObject")]
    assert waits == [0, 0.125, 0.25]
    assert [pace.take_turn("dynamodb:BatchGetItem", 1) for _ in range(2)] == [0, 1]
    assert [pace.take_turn("mysql:Query", 1) for _ in range(9)] == [0] * 9
