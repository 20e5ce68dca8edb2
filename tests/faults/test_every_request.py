"""A failure has its verdict whichever request of a service it meets, of a first delivery or of one more."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from reliability.budget import LARGE, SEED

from .stage import REQUESTS, Stage
from .test_verdicts import TABLE, Cell, survive

if TYPE_CHECKING:
    from reliability.results import Results

SAMPLE = 6
REPLACED = ("sink-put", "head")  # what a second delivery asks for beside what the first does


@pytest.fixture(scope="session")
def requests(stage: Stage) -> dict[tuple[str, bool], int]:
    """How many requests of each service a first and a second delivery make."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        stage.begin(patch)
        for second in (False, True):
            stage.proxy.reset()
            assert stage.deliver().failures == set()
            for service, (operation, path) in REQUESTS.items():
                met = [one for one in stage.proxy.log if one.operation == operation and path in one.path]
                found[service, second] = len(met)
    return found


def cells(requests: dict[tuple[str, bool], int]) -> list[Cell]:
    """Each failure at each request but the first of a first delivery, which `test_verdicts.py` has."""
    places = [
        (service, n, False)
        for (service, second), most in requests.items()
        if not second
        for n in range(2, most + 1)
    ]
    places += [(service, n, True) for service in REPLACED for n in range(1, requests[service, True] + 1)]
    return [
        Cell(service, failure, often, verdict, number, second)
        for service, number, second in places
        for failure, verdicts in TABLE[service].items()
        for often, verdict in verdicts.items()
    ]


@pytest.mark.fault("P1")
def test_a_failure_has_its_verdict_at_every_request(
    stage: Stage,
    calm: dict[str, str],
    requests: dict[tuple[str, bool], int],
    results: Results,
) -> None:
    """The verdict of the table, or as if nothing had happened; then one calm delivery completes the lake."""
    found = cells(requests)
    assert {(cell.service, cell.second) for cell in found} >= {
        ("sink-put", False),
        ("sink-put", True),
        ("head", True),
    }
    tried = found if LARGE else random.Random(SEED).sample(found, SAMPLE)
    with results.part("failures at every request", SEED, failures=len(tried), possible=len(found)):
        for cell in tried:
            with pytest.MonkeyPatch.context() as patch:
                try:
                    survive(stage, calm, patch, cell)
                except AssertionError as error:
                    error.add_note(f"at {cell}")
                    raise
