"""Each cell of `verdicts.yaml`: what a user gets when a service fails, once or for ever."""

from __future__ import annotations

import json
import re
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from integration.faults.stage import SECOND, SILENCE, VERDICTS
from kit.watch.canaries import SECRET
from plait.plugin import PlaitError

if TYPE_CHECKING:
    from integration.faults.stage import Delivered, Stage

TABLE = VERDICTS["services"]
COVERS = VERDICTS["covers"]
CELLS = [
    pytest.param(
        *(service, failure, often, verdict),
        marks=[pytest.mark.fault(id) for id in COVERS.get(service, {}).get(failure, ())],
        id=f"{service}-{failure}-{often}-{verdict}",
    )
    for service, failures in TABLE.items()
    for failure, verdicts in failures.items()
    for often, verdict in verdicts.items()
]
COLD = {
    "secretsmanager",
    "mysql-connect",
    "mysql-query",
    "glue-table",
    "glue-partition",
}  # what a warm process does not ask for again
LIMIT = 2.0
OUTCOMES = {"again": "retry", "failed": "failed"}
FOREIGN = re.compile(
    r"botocore|boto3|urllib|obstore|pymysql|object_store|reqwest|hyper|Traceback|Errno|<class|0x[0-9a-f]{6}|"
    r"127\.0\.0\.1|HTTPConnection|\w+Error\(|object at"
)


@pytest.mark.parametrize(("service", "failure", "often", "verdict"), CELLS)
def test_a_failure_has_its_verdict(
    stage: Stage,
    calm: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    failure: str,
    often: str,
    verdict: str,
) -> None:
    """The verdict of the table, and whatever it is, the lake of a calm run after one calm delivery."""
    survive(stage, calm, monkeypatch, Cell(service, failure, often, verdict))


class Cell(NamedTuple):
    """A cell of the table, at the n-th request of its service."""

    service: str
    failure: str
    often: str
    verdict: str
    number: int = 1


def survive(stage: Stage, calm: dict[str, str], patch: pytest.MonkeyPatch, cell: Cell) -> None:
    """Deliver while the cell's failure lasts, hold what was told against the verdict, and deliver in calm."""
    silent, forever = cell.failure == "silent", cell.often == "forever"
    stage.begin(patch, warm=cell.service not in COLD, PLAIT_TIMEOUT=SILENCE[cell.often] if silent else "30")
    if cell.service in SECOND or cell.failure == "rotated":
        stage.deliver()  # a warm process, which knows the secret and has written the files
        stage.proxy.reset()
    stage.fail(cell.service, cell.failure, forever=forever, number=cell.number)
    if cell.service == "list":
        _command(stage, cell.verdict)
    else:
        delivered = stage.deliver(seconds=LIMIT if silent and forever else None)
        unharmed = cell.number > 1 and not delivered.failures  # what a later request meets may not matter
        check(stage, delivered, "done" if unharmed else cell.verdict)
        stage.mend()
        if silent:
            stage.start_anew(patch, PLAIT_TIMEOUT="30")
        if delivered.failures:
            assert stage.deliver(sorted(delivered.failures)).failures == set()
    assert stage.lake() == calm
    assert not [name for name in stage.proxy.calls if "Delete" in name]


def _command(stage: Stage, verdict: str) -> None:
    delivered = stage.command("run", "--all")
    ours(stage, delivered)
    assert bool(delivered.failures) == (verdict != "done")
    assert (not delivered.report) == (verdict != "done")
    if verdict == "failed":
        assert "help:" in delivered.seen
    stage.mend()
    if delivered.failures:
        assert stage.command("run", "--all").failures == set()


def ours(stage: Stage, delivered: Delivered) -> None:
    """No word of anybody else's reaches the user, nor a secret: in no answer, log, report, exception or its causes."""
    assert delivered.raised is None or isinstance(delivered.raised, PlaitError), delivered.seen
    assert not FOREIGN.search(delivered.seen), delivered.seen
    assert stage.login["password"].startswith(SECRET)
    causes = "".join(traceback.format_exception(delivered.raised)) if delivered.raised else ""
    for text in (
        delivered.seen,
        json.dumps(delivered.report),
        causes,
        *(log.getMessage() for log in stage.logged),
    ):
        assert SECRET not in text


def check(stage: Stage, delivered: Delivered, verdict: str) -> None:
    """What was told is what the verdict says."""
    ours(stage, delivered)
    outcomes: dict[str, Any] = delivered.report["objects"]
    if verdict == "done":
        assert (delivered.failures, outcomes["done"]) == (set(), 3)
        return
    word = OUTCOMES[verdict]
    assert delivered.failures
    assert outcomes[word] == 3 - outcomes["done"] == len(delivered.failures), delivered.report["problems"]
    errors = delivered.errors()
    assert len(errors) == len(delivered.failures)
    if verdict == "failed":
        assert all(error["help"] and error["code"] != "give-up" for error in errors), errors
