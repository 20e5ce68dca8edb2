"""A failure has its verdict whichever request of a service it meets, of a first delivery or of one more."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from integration.faults.stage import REQUESTS, SECOND
from integration.faults.test_verdicts import TABLE, Cell, check, survive
from kit.network.tcp import Weather
from reliability.budget import LARGE, SEED, budget

if TYPE_CHECKING:
    from integration.faults.stage import Stage
    from reliability.results import Results

SAMPLE = 6


@pytest.fixture(scope="module")
def requests(stage: Stage) -> dict[str, int]:
    """How many requests a delivery makes of each service, a second one of what only that asks for."""
    numbers = {}
    with pytest.MonkeyPatch.context() as patch:
        stage.begin(patch)
        for services in (REQUESTS.keys() - SECOND, SECOND):
            stage.proxy.reset()
            assert stage.deliver().failures == set()
            for operation, path, name in ((*REQUESTS[name], name) for name in sorted(services)):
                matching = [
                    request
                    for request in stage.proxy.log
                    if request.operation == operation and path in request.path
                ]
                numbers[name] = len(matching)
    return numbers


@pytest.mark.fault("P1")
def test_a_failure_has_its_verdict_at_every_request(
    stage: Stage, calm: dict[str, str], requests: dict[str, int], results: Results
) -> None:
    """Or it is as if nothing had happened; whichever, one calm delivery then completes the lake."""
    cells = [
        Cell(service, failure, often, verdict, number)
        for service, most in requests.items()
        for number in range(2, most + 1)
        for failure, verdicts in TABLE[service].items()
        for often, verdict in verdicts.items()
    ]
    assert {cell.service for cell in cells} >= {"driver-get", "items-get", "sink-put", "replace-put", "head"}
    tried = cells if LARGE else random.Random(SEED).sample(cells, SAMPLE)
    broken = {}
    with results.part("failures at every request", SEED, failures=len(tried), possible=len(cells)):
        for cell in tried:
            with pytest.MonkeyPatch.context() as patch:
                try:
                    survive(stage, calm, patch, cell)
                except AssertionError as error:
                    broken[cell] = str(error)
        assert broken == {}


@pytest.mark.fault("M1")
def test_a_connection_to_mysql_may_end_at_any_byte(
    stage: Stage, calm: dict[str, str], results: Results
) -> None:
    """Cut once, nobody notices; cut each time, what needs it comes again, and no row is told by half an answer."""
    with pytest.MonkeyPatch.context() as patch:
        stage.begin(patch)
        assert stage.deliver().failures == set()
        length = stage.tcp.passed[-1]
        places = random.Random(SEED).sample(range(length), budget(3, 60))
        with results.part("connections to MySQL that end", SEED, places=len(places), possible=length):
            for place in places:
                stage.shop.sandbox.mysql.execute(
                    "FLUSH HOSTS"
                )  # it blocks a host that breaks off a hundred times
                for forever in (False, True):
                    stage.begin(patch)
                    weather = Weather(cut_after=place)
                    if forever:
                        stage.tcp.weather = weather
                    else:
                        stage.tcp.storm(weather)
                    delivered = stage.deliver()
                    check(stage, delivered, "again" if forever else "done")
                    stage.mend()
                    if delivered.failures:
                        assert stage.deliver(sorted(delivered.failures)).failures == set()
                    assert stage.lake() == calm
