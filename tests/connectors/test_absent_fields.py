"""Fields that no record has are told apart from nulls in every kind of source, with the field that was meant."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner

from kit.connect import create_table
from kit.servers.logs import Logs
from plait.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plait_sandbox.aws import LocalAws

NUMBER = 20
SPEC = """\
plait: 1
name: s
sources:
  orders:
    connector: json
    path: {root}/orders/*.json
    columns: {{id: string, at: timestamp, temp: {{from: tmp, type: int, default: 7}}, note: string}}
  items:
    connector: csv
    path: {root}/items/{{id}}.csv
    columns: {{sku: {{from: skuu, type: string}}, quantity: string}}
    join: {{on: id, as: list}}
  activity:
    connector: dynamodb
    table: activity
    columns: {{status: {{from: statis, type: string}}, seen: string}}
    join: {{on: id}}
  fraud:
    connector: cloudwatch_logs
    log_group: /fraud
    format: json
    columns: {{score: {{from: detail.scor, type: int}}, model: string}}
    join: {{on: id}}
    window: {{around: at, before: 1h, after: 1h}}
  plain:
    connector: cloudwatch_logs
    log_group: /fraud
    pattern: "order {{order}} is {{what}}"
    columns: {{what: string}}
    join: {{on: {{id: order}}}}
    window: {{around: at, before: 1h, after: 1h}}
sink: {{connector: parquet, path: {root}/out/}}
"""
ABSENT = {"nulls": NUMBER, "absent": NUMBER, "defaults": 0}
NULL = {"nulls": NUMBER, "absent": 0, "defaults": 0}
NONE = {"nulls": 0, "absent": 0, "defaults": 0}
NEAR = {"temp": "temp", "sku": "sku", "status": "status", "score": "score"}


@pytest.fixture
def spec(tmp_path: Path, at_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Twenty orders, of which each source has a field in another spelling than the spec and one that is null."""
    now = datetime.now(UTC).replace(microsecond=0)
    client = boto3.client("dynamodb")
    create_table(client, "activity", id="S")
    for folder in ("orders", "items"):
        (tmp_path / folder).mkdir()
    for n in range(NUMBER):
        order = {"id": f"o{n}", "at": now.isoformat(), "temp": 1, "note": None}
        (tmp_path / "orders" / f"{n}.json").write_text(json.dumps(order))
        (tmp_path / "items" / f"o{n}.csv").write_text("sku,quantity\na,\n")
        item: Any = {"id": {"S": f"o{n}"}, "status": {"S": "on"}, "seen": {"NULL": True}}
        client.put_item(TableName="activity", Item=item)
    with Logs() as logs:
        lines = ({"id": f"o{n}", "detail": {"score": n}, "model": None} for n in range(NUMBER))
        logs.put("/fraud", *((round(time.time() * 1000), json.dumps(line)) for line in lines), stream="one")
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", logs.endpoint)
        file = tmp_path / "s.yaml"
        file.write_text(SPEC.format(root=tmp_path))
        yield str(file)
    client.delete_table(TableName="activity")
    client.close()


def _said(*arguments: str) -> Any:
    ended = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)


@pytest.mark.parametrize("command", [("preview",), ("run", "--all"), ("check",)], ids=lambda c: c[0])
def test_each_source_says_what_it_never_has(spec: str, command: tuple[str, ...]) -> None:
    """A field in another spelling is absent, a null is not, and a pattern fits no line; only a preview shows a line."""
    verb, *options = command
    answer = _said(verb, spec, *options, "-o", "json")
    problems = {problem["message"]: problem for problem in answer["problems"]}
    near = {
        message.split("`")[1]: problem["help"].split("`")[1]
        for message, problem in problems.items()
        if problem["code"] == "absent-column"
    }
    assert near == NEAR
    assert {problem["level"] for problem in problems.values()} == {"warning"}
    no_record = problems["none of 20 lines of `plain` is a record"]
    assert (no_record["code"], bool(no_record["note"])) == ("no-line-fits", verb == "preview")
    assert no_record["note"] is None or '{"id": "o' in no_record["note"]
    if verb != "check":
        columns = {name: counts["columns"] for name, counts in answer["sources"].items()}
        assert columns == {
            "orders": {"id": NONE, "at": NONE, "temp": {**ABSENT, "defaults": NUMBER}, "note": NULL},
            "items": {"sku": ABSENT, "quantity": NULL},
            "activity": {"status": ABSENT, "seen": NULL},
            "fraud": {"score": ABSENT, "model": NULL},
            "plain": {"what": NONE},
        }


def test_a_run_shows_a_line_to_who_asks_for_it(spec: str) -> None:
    ended = CliRunner().invoke(main, ["run", spec, "--all"], catch_exceptions=False)
    assert '{"id": "o' not in ended.output
    ended = CliRunner().invoke(main, ["run", spec, "--all", "-v"], catch_exceptions=False)
    assert 'such as `{"id": "o' in ended.output
