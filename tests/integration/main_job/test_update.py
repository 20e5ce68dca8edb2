"""A stack update that changes the spec while events are in flight: no row is lost, and none is there twice."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from integration.main_job.packages import environment, packaged, unpacked
from kit.function.delivery import Queue
from kit.function.runtime import Function
from kit.network.faults import kill
from kit.oracle import oracle, oracle_lake
from kit.shop import announced, edited_spec

if TYPE_CHECKING:
    from pathlib import Path

    from kit.function.runtime import Outcome
    from kit.network.faults import Action, Answer, Damaged, Spoilt
    from kit.oracle.oracle_values import Row
    from kit.shop import Shop

LAKE = "updated"
HALFWAY = 3
ADDED = "      channel: string\n"
AFTER = "      store_id: bigint\n"


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the second version of the spec, unpacked: it has one more column."""
    folder = tmp_path_factory.mktemp("newer")
    spec = edited_spec(folder, {AFTER: AFTER + ADDED})
    return unpacked(packaged(spec, folder / "newer.zip"), folder / "task")


def expected(shop: Shop, keys: list[str]) -> oracle.Expected:
    """What the second version gives for these objects, its column where the spec has it."""
    changed = oracle.Expected()
    for key, row in oracle.expect(shop.sample).rows.items():
        if key in keys:
            channel = json.loads(shop.sample.objects[key]).get("channel")
            items = [*row.items()]
            place = [name for name, _ in items].index("store_id") + 1
            changed.rows[key] = dict([*items[:place], ("channel", channel), *items[place:]])
    return changed


def rows_of(shop: Shop) -> list[Row]:
    """All rows of the lake."""
    return oracle_lake.read_files(shop.lake(LAKE))


def test_an_update_of_the_spec_in_flight_loses_and_doubles_nothing(
    shop: Shop, task: Path, newer: Path, python: str
) -> None:
    """Events handled before, one batch cut down with the old process halfway, its redelivery and the rest after.

    Every object that the new version handled has the new version's row, each of the others the old one's; and
    when those come again, the lake is the new version's.
    """
    keys = sorted(oracle.expect(shop.sample).rows)
    before, during, after = keys[:5], keys[5:15], keys[15:]
    queue = Queue(batch=10)
    with (
        Function(environment(shop, task, LAKE), python=python, cwd=str(task)) as old,
        Function(environment(shop, newer, LAKE), python=python, cwd=str(newer)) as new,
    ):
        _send(queue, before)
        assert [outcome.kind for outcome in queue.drain(old.invoke)] == ["answered"]
        _send(queue, during)
        shop.proxy.reset()
        action = _kill_halfway(shop, old)
        shop.proxy.on(HALFWAY + 1, "before", action, operation="s3:PutObject", path=LAKE, forever=True)
        assert [outcome.kind for outcome in queue.drain(old.invoke, until=queue.now)] == ["died"]
        shop.proxy.reset()
        written = {str(row["transaction_id"]) for row in rows_of(shop)}
        assert len(written) == len(before) + HALFWAY
        _send(queue, after)
        outcomes: list[Outcome] = queue.drain(new.invoke)
        assert {json.dumps(outcome.answer) for outcome in outcomes} == {json.dumps({"batchItemFailures": []})}
        assert queue.dead == []
        _check_mixed(shop, before, [*during, *after])
        _send(queue, before)
        queue.drain(new.invoke)
    assert oracle_lake.compare(expected(shop, keys), rows_of(shop)) == []


def _send(queue: Queue, keys: list[str]) -> None:
    queue.send(*(json.dumps(announced(key)) for key in keys))


def _kill_halfway(shop: Shop, function: Function) -> Action:
    """End the process once the first files of a batch are written; no later one reaches S3."""
    assert function.process is not None
    pid = function.process.pid
    end = kill(lambda: pid)

    def act() -> Answer | Spoilt | Damaged | None:
        while (
            sum(request.operation == "s3:PutObject" and request.status == 200 for request in shop.proxy.log)
            < HALFWAY
        ):
            time.sleep(0.01)
        return end()

    return act


def _check_mixed(shop: Shop, old: list[str], new: list[str]) -> None:
    """One row for each object: the new version's where it handled it, else the old one's, without the column."""
    wanted = expected(shop, [*old, *new])
    for key in old:
        wanted.rows[key] = {**wanted.rows[key], "channel": None}
    rows: list[Any] = rows_of(shop)
    order = [*next(iter(wanted.rows.values()))]
    assert oracle_lake.compare(wanted, [{name: row[name] for name in order} for row in rows]) == []
