"""Queries of the connector `athena` that fail or come too late, its rights, and what `check` and `guess` ask."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import boto3
import pytest
from msgspec.structs import replace

from integration.faults.stage import ACTIONS, SILENCE
from integration.faults.stage import VERDICTS as OF_SERVICES
from kit.network.proxy import Proxy
from kit.servers.athena_lake import fetch, lookup
from kit.servers.buckets import contents
from plait.aws.retries import Deadline
from plait.deploy.policy import Grant, grants, policy_document
from plait.engine.context import Services
from plait.engine.probe import probe_blocks
from plait.pipeline.pipeline import Pipeline
from plait.plugin import FolderPath, GiveUp, PlaitError, TryAgain
from plait_sandbox.aws import LocalAws

VERDICTS = [
    ("cancelled", TryAgain, "cancelled"),
    ("limited", GiveUp, "too-much-scanned"),
    ("costly", GiveUp, "too-much-scanned"),
    ("exhausted", GiveUp, "too-much-scanned"),
    ("busy", TryAgain, "throttled"),
    ("internal", TryAgain, "unavailable"),
    ("again", TryAgain, "unavailable"),
    ("hours", TryAgain, "too-slow"),
    ("denied", GiveUp, "denied"),
    ("lake-formation", GiveUp, "denied"),
    ("files", GiveUp, "wrong-request"),
    ("unlike", GiveUp, "wrong-request"),
    ("nobody", GiveUp, "wrong-request"),
]


@pytest.mark.parametrize(
    ("workgroup", "kind", "code"), VERDICTS, ids=lambda value: value if isinstance(value, str) else ""
)
@pytest.mark.fault("A1")
def test_query_that_does_not_succeed_is_told_by_what_helps(
    at_athena: LocalAws, workgroup: str, kind: type[PlaitError], code: str
) -> None:
    """Each failure comes again or not by its meaning, names the workgroup and a help, and shows no value."""
    with pytest.raises(PlaitError, match=f"workgroup `{workgroup}`") as error:
        fetch(lookup("small", workgroup=workgroup), "x")
    assert (type(error.value), error.value.code) == (kind, code)
    assert error.value.help
    assert "canary" not in error.value.message


def test_table_that_is_not_there_is_told(at_athena: LocalAws) -> None:
    with pytest.raises(GiveUp, match=r"table `lake.nothing` cannot be used") as error:
        fetch(lookup("nothing"), "x")
    assert error.value.code == "not-found"


def state_of_last(workgroup: str) -> str:
    client = boto3.client("athena")
    id = client.list_query_executions(WorkGroup=workgroup)["QueryExecutionIds"][-1]
    return str(client.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Status"]["State"])


@pytest.mark.fault("A3")
def test_query_is_stopped_where_the_time_of_the_function_ends(
    at_athena: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAIT_BACKOFF", "1")
    services = Services()
    slow = lookup("small", services=services, workgroup="slow")
    slow.prepare()
    services.deadline = Deadline(5)
    with pytest.raises(TryAgain) as error:
        fetch(slow, "x")
    assert (error.value.code, state_of_last("slow")) == ("deadline", "CANCELLED")
    for key in contents(boto3.client("s3"), "tmp"):  # no call begins after the end of the time
        boto3.client("s3").delete_object(Bucket="tmp", Key=key)


CELLS = [
    pytest.param(operation, failure, often, verdict, id=f"{operation}-{failure}-{often}-{verdict}")
    for operation, failures in OF_SERVICES["athena"].items()
    for failure, verdicts in failures.items()
    for often, verdict in verdicts.items()
]
RAISED = {"again": TryAgain, "failed": GiveUp}


@pytest.mark.parametrize(("operation", "failure", "often", "verdict"), CELLS)
@pytest.mark.fault("A4")
def test_a_failing_call_has_its_verdict(
    at_athena: LocalAws,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    failure: str,
    often: str,
    verdict: str,
) -> None:
    """The verdict of the table; whatever it is, one query is begun at most, also where the answer to that was lost."""
    is_silent = failure == "silent"
    monkeypatch.setenv("PLAIT_TIMEOUT", SILENCE[often] if is_silent else "30")
    when, action = ACTIONS[failure]
    queries = boto3.client("athena")
    before = len(queries.list_query_executions(WorkGroup="etl")["QueryExecutionIds"])
    with Proxy(at_athena.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        service = operation.partition(":")[0]
        proxy.on(1, when, action(service), operation=operation, forever=often == "forever")
        small = lookup("small", "nr", services=Services())
        if verdict == "done":
            assert [row["nr"] for row in fetch(small, "7")] == [7]
        else:
            with pytest.raises(RAISED[verdict]) as error:
                fetch(small, "7")
            assert error.value.code not in ("try-again", "give-up")
            assert error.value.help or verdict == "again"
        proxy.mend()
    assert len(queries.list_query_executions(WorkGroup="etl")["QueryExecutionIds"]) - before <= 1


def test_check_shows_files_partitions_and_limit(at_athena: LocalAws) -> None:
    location = FolderPath.parse("s3://lake/elsewhere/")
    assert [*lookup("orders", location=location).facts()] == [
        "files at s3://lake/orders/, which `location` does not hold: set it to this",
        "partitioned by `day`",
        "a query may scan 10,000,000,000 bytes",
    ]


SPEC = {
    "plait": 1,
    "name": "s",
    "sources": {
        "orders": {"connector": "memory", "rows": [{"id": "x"}], "columns": {"id": "string"}},
        "small": {
            "connector": "athena",
            "table": "lake.small",
            "output": "s3://tmp/athena/",
            "workgroup": "etl",
            "join": {"on": "id", "as": "list"},
        },
    },
    "sink": {"connector": "parquet", "path": "s3://lake/out/"},
}


def with_columns(columns: dict[str, str] | None) -> Pipeline:
    small = SPEC["sources"]["small"] | ({} if columns is None else {"columns": columns})  # type: ignore[index]
    spec = {**SPEC, "sources": {**SPEC["sources"], "small": small}}  # type: ignore[dict-item]
    return Pipeline.load("s.yaml", {}, json.dumps(spec).encode())


def test_columns_are_guessed_from_the_rows_of_the_keys(at_athena: LocalAws) -> None:
    guessed = with_columns(None).guess("small")
    lines = [line.split("#")[0].strip() for line in guessed.splitlines()]
    assert [line for line in lines if line.startswith(("nr", "born", "id"))] == ["nr: bigint", "born: date"]


def test_check_asks_the_table_and_says_what_no_row_fits(at_athena: LocalAws) -> None:
    """`check` asks for a key that is not there, as a run does, and compares the columns with some rows."""
    results = {}
    for columns in ({"nr": "bigint", "half": "decimal(4,1)"}, {"born": "boolean"}):
        spec = with_columns(columns).spec
        (results[str(columns)],) = [r for r in probe_blocks(spec, Services()) if r.block == "small"]
    good, bad = results.values()
    assert good.error is None
    assert good.facts[-1] == "a query may scan 10,000,000,000 bytes"
    assert bad.error
    assert bad.error.message.startswith("no record of `small` fits: column `born`: expected boolean")


NAMES = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}
OF_PLAIT = {
    ("athena:StartQueryExecution", "workgroup/etl"),
    ("athena:GetQueryExecution", "workgroup/etl"),
    ("glue:GetTable", ":catalog"),
    ("glue:GetTable", ":database/lake"),
    ("glue:GetTable", ":table/lake/small"),
    ("s3:ListBucket", ":::tmp"),
    ("s3:GetObject", ":::tmp/athena/*"),
    ("s3:DeleteObject", ":::tmp/athena/*"),
}


def enforce(server: LocalAws, count: str) -> None:
    url = f"{server.endpoint}/moto-api/reset-auth"
    urllib.request.urlopen(urllib.request.Request(url, count.encode(), {"Content-Type": "text/plain"})).read()


def test_policy_suffices_and_has_nothing_that_plait_can_do_without(
    at_athena: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What plait calls itself is allowed where it is used and nowhere else; what Athena does for the role it alone can prove."""
    iam = boto3.client("iam")
    iam.create_user(UserName="function")
    key = iam.create_access_key(UserName="function")["AccessKey"]
    granted = [*grants(with_columns({"nr": "bigint"}).spec)]
    used = [
        g for g in granted if any(g.action == action and g.resource.endswith(end) for action, end in OF_PLAIT)
    ]
    assert len(used) == len(OF_PLAIT)

    def outcome(allowed: list[Grant]) -> list[Any]:
        policy = json.dumps(policy_document(allowed, NAMES))
        iam.put_user_policy(UserName="function", PolicyName="pipeline", PolicyDocument=policy)
        with monkeypatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
            patch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
            enforce(at_athena, "0")
            try:
                rows: list[Any] = fetch(lookup("small", "nr"), "7")
            except GiveUp as error:
                rows = [error.code]
            finally:
                enforce(at_athena, "inf")
        s3 = boto3.client("s3")
        left = [*contents(s3, "tmp")]
        for name in left:
            s3.delete_object(Bucket="tmp", Key=name)
        return [rows, bool(left)]

    assert outcome(granted) == [[{"id": "7", "nr": 7}], False]
    for grant in used:
        moved = replace(grant, resource=f"{grant.resource.rstrip('*')}-elsewhere")
        others = [other for other in granted if other is not grant]
        assert outcome([*others, moved]) in (
            [["denied"], False],
            [["denied"], True],
            [[{"id": "7", "nr": 7}], True],
        ), grant
