"""The connector `athena`, against a stand-in that runs its queries over the files of Glue's tables."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pytest
from msgspec.structs import replace

from kit.connect import single_records
from kit.network.faults import drop, fail
from kit.network.proxy import Proxy
from kit.paths import TESTS
from kit.run import rows_in
from kit.servers.athena_tables import create_lake, create_table
from kit.servers.buckets import contents
from plait.aws.retries import Deadline
from plait.deploy.policy import Grant, grants, policy_document
from plait.engine.context import Services
from plait.engine.probe import probe_blocks
from plait.pipeline.pipeline import Pipeline
from plait.plugin import BadRecord, FolderPath, GiveUp, Key, PlaitError, TryAgain
from plait_connectors._athena_options import AthenaOptions
from plait_connectors.athena import AthenaLookup
from plait_sandbox.aws import LocalAws, start_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = [
    "",
    "NaN",
    "nan",
    "null",
    "o'brien",
    "''",
    "'; DROP TABLE x --",
    '"q"',
    "\\",
    "\\'",
    "a\nb",
    "ümlaut",
    "🦊",
    " x ",
    "%",
    "a\0b",
]
DAYS = [date(2026, 7, 1) + timedelta(days=n) for n in range(10)]
TYPES = {
    "id": "string",
    "nr": "bigint",
    "note": "string",
    "price": "decimal(12,2)",
    "exact": "decimal(38,18)",
    "ratio": "double",
    "flag": "boolean",
    "born": "date",
    "at": "timestamp",
    "raw": "binary",
    "tags": "array<string>",
    "items": "array<struct<sku:string,qty:int,price:decimal(8,2),marks:array<array<bigint>>>>",
    "attrs": "map<string,bigint>",
    "day": "string",
}
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("nr", pa.int64()),
        ("note", pa.string()),
        ("price", pa.decimal128(12, 2)),
        ("exact", pa.decimal128(38, 18)),
        ("ratio", pa.float64()),
        ("flag", pa.bool_()),
        ("born", pa.date32()),
        ("at", pa.timestamp("us")),
        ("raw", pa.binary()),
        ("tags", pa.list_(pa.string())),
        (
            "items",
            pa.list_(
                pa.struct(
                    [
                        ("sku", pa.string()),
                        ("qty", pa.int32()),
                        ("price", pa.decimal128(8, 2)),
                        ("marks", pa.list_(pa.list_(pa.int64()))),
                    ]
                )
            ),
        ),
        ("attrs", pa.map_(pa.string(), pa.int64())),
    ]
)
TAKEN = [name for name in TYPES if name not in ("id", "day")]
COLUMNS = {name: TYPES[name] for name in TAKEN}


def row(n: int) -> dict[str, Any]:
    """Row n of the table `orders`, with values that a reader of text would bend."""
    texts = [None, "", "NaN", "null", "it''s", '"', "1e3", " "]
    item = {"sku": texts[n % 8], "qty": n, "price": Decimal(n) / 4, "marks": [[n], [], None]}
    return {
        "id": HOSTILE[n] if n < len(HOSTILE) else f"k{n}",
        "nr": None if n % 7 == 0 else n * 10**14,
        "note": texts[n % 8],
        "price": None if n % 5 == 0 else Decimal(n).scaleb(-2),
        "exact": Decimal(n) + Decimal("0.100000000000000001"),
        "ratio": [None, 0.1, -0.0, 1e300][n % 4],
        "flag": [None, True, False][n % 3],
        "born": None if n % 6 == 0 else date(1970, 1, 1) + timedelta(days=n),
        "at": None if n % 9 == 0 else datetime(2026, 7, 1, 12) + timedelta(milliseconds=n),
        "raw": None if n % 4 == 0 else bytes([n % 256, 0, 39]),
        "tags": [None, [], ["", None, "NaN"], ["a'b"]][n % 4],
        "items": [None, [], [item], [item, None]][n % 4],
        "attrs": [None, {}, {"": n}, {"a": None, "b'": 1}][n % 4],
        "day": DAYS[n % 10].isoformat(),
    }


ROWS = [row(n) for n in range(1_100)]
NOBODY = [{**row(0), "id": None, "nr": 1}, {**row(1), "id": "K16"}, {**row(2), "id": "k16 "}]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalAws]:
    with contextlib.ExitStack() as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        server = started.enter_context(start_aws("kit.servers.athena_server"))
        for name, value in server.environment().items():
            patch.setenv(name, value)
        create_lake("lake", "tmp")
        create_table("orders", TYPES, SCHEMA, [*ROWS, *NOBODY], partition="day")
        small = {"id": "string", "nr": "bigint", "half": "decimal(4,1)", "born": "date"}
        schema = pa.schema(
            [("id", pa.string()), ("nr", pa.int64()), ("half", pa.decimal128(4, 1)), ("born", pa.date32())]
        )
        values = [
            ("7", 7, "7.5", 1),
            ("7.0", 8, "8.0", 2),
            ("x", 9, None, 3),
            ("x", 10, None, 3),
            ("true", 11, None, 4),
        ]
        create_table(
            "small",
            small,
            schema,
            [
                {"id": id, "nr": nr, "half": half and Decimal(half), "born": date(2026, 7, day)}
                for id, nr, half, day in values
            ],
        )
        for name in (
            "etl",
            "slow",
            "costly",
            "cancelled",
            "limited",
            "exhausted",
            "busy",
            "internal",
            "again",
            "denied",
            "lake-formation",
            "files",
            "unlike",
            "hours",
        ):
            boto3.client("athena").create_work_group(
                Name=name, Configuration={"BytesScannedCutoffPerQuery": 10**10}
            )
        patch.undo()
        yield server


@pytest.fixture
def at_server(server: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    for name, value in {**server.environment(), "PLAIT_BACKOFF": "0.01"}.items():
        monkeypatch.setenv(name, value)
    yield server
    s3 = boto3.client("s3", endpoint_url=server.endpoint)
    assert not contents(s3, "tmp"), "an answer was left"


def lookup(table: str, *fields: str, services: Services | None = None, **options: Any) -> AthenaLookup:
    output = FolderPath.parse("s3://tmp/athena/")
    options = {"workgroup": "etl", **options}
    context = (services or Services()).context("s", fields or None)
    return AthenaLookup(AthenaOptions(table=f"lake.{table}", output=output, **options), context)


def fetch(lookup: AthenaLookup, *values: Any, name: str = "id") -> list[dict[str, Any]]:
    records = single_records(lookup.fetch([Key(fields={name: value}) for value in values]))
    return [dict(record.fields) for record in records]


def run(folder: Path, keys: list[dict[str, Any]], **history: Any) -> tuple[list[dict[str, Any]], Any]:
    """Run a spec whose rows in the spec ask the table `orders`; the rows, and the report."""
    driver = {
        "connector": "memory",
        "rows": keys,
        "columns": {"n": "bigint", "key": "string", "order_date": "date"},
    }
    options = {"table": "lake.orders", "output": "s3://tmp/athena/", "workgroup": "etl", "columns": COLUMNS}
    spec = {
        "plait": 1,
        "name": "s",
        "sources": {
            "orders": driver,
            "history": {"connector": "athena", **options, "join": {"on": {"key": "id"}}, **history},
        },
        "sink": {"connector": "parquet", "path": f"{folder}/out/"},
    }
    report = Pipeline.load("s.yaml", {}, json.dumps(spec, ensure_ascii=False).encode()).run()
    return sorted(rows_in(folder / "out"), key=lambda row: row["n"]), report


@pytest.mark.fault("A5")
def test_thousand_keys_give_exactly_the_rows_of_the_oracle(at_server: LocalAws, tmp_path: Path) -> None:
    """Null, empty text, `NaN`, quotes, decimals and nested lists arrive as they are; a key that only looks alike has no row."""
    keys: list[dict[str, Any]] = [
        {"n": n, "key": ROWS[n]["id"], "order_date": ROWS[n]["day"]} for n in range(1_000)
    ]
    keys[500]["key"], keys[501]["key"], keys[502]["key"] = None, "absent", "K17"
    oracle = {(row["id"], row["day"]): row for row in ROWS}
    nothing = dict.fromkeys(TYPES)
    rows, report = run(tmp_path, keys)
    assert len(rows) == 1_000
    for key, written in zip(keys, rows, strict=True):
        expected = oracle.get((key["key"], key["order_date"]), nothing)
        attrs, at = written["attrs"], written["at"]
        cells = {
            **written,
            "attrs": None if attrs is None else dict(attrs),
            "at": at and at.replace(tzinfo=None),
        }
        assert {name: cells[name] for name in TAKEN} == {name: expected[name] for name in TAKEN}, key
        assert repr(cells["ratio"]) == repr(expected["ratio"])
    assert report.calls["athena:StartQueryExecution"] == 1


def scanned_by_last() -> int:
    client = boto3.client("athena")
    id = client.list_query_executions(WorkGroup="etl")["QueryExecutionIds"][-1]
    return int(
        client.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Statistics"]["DataScannedInBytes"]
    )


@pytest.mark.fault("A2")
def test_partitions_that_the_row_names_are_read_alone(at_server: LocalAws, tmp_path: Path) -> None:
    """With `partitions`, a row's match is in the partition of its own column, and the files of others are not read."""
    keys = [{"n": n, "key": f"k{n}", "order_date": "2026-07-01"} for n in (20, 21, 30)]
    rows, _ = run(tmp_path / "all", keys)
    everything = scanned_by_last()
    assert [row["exact"] is None for row in rows] == [False] * 3
    rows, _ = run(tmp_path / "pruned", keys, partitions={"day": "order_date"})
    assert [row["exact"] is None for row in rows] == [False, True, False]
    assert 0 < scanned_by_last() * 9 < everything


def test_what_is_kept_is_not_asked_again(at_server: LocalAws, tmp_path: Path) -> None:
    keys = [{"n": n, "key": f"k{n % 3 + 20}", "order_date": "2026-07-01"} for n in range(30)]
    rows, report = run(tmp_path, keys, cache="1h")
    assert [row["note"] for row in rows[:3]] == [ROWS[n]["note"] for n in (20, 21, 22)]
    assert report.calls["athena:StartQueryExecution"] == 1


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("id", (7,), [7, 8]),
        ("id", (Decimal("7.00"),), [7, 8]),
        ("id", (True,), [11]),
        ("nr", ("7", "07", "7.0", "x", "9" * 30), [7]),
        ("NR", (7, 8), [7, 8]),
        ("half", (Decimal("7.50"), Decimal(9)), [7]),
        ("half", (8,), [8]),
        ("born", (date(2026, 7, 2),), [8]),
        ("born", (datetime(2026, 7, 2, tzinfo=UTC),), [8]),
        ("id", (date(2026, 7, 2),), []),
        ("id", ("\ud800", "x"), [9, 10]),
    ],
)
@pytest.mark.fault("A7")
def test_keys_and_columns_of_unlike_types_are_compared_by_value(
    at_server: LocalAws, name: str, values: tuple[Any, ...], expected: list[int]
) -> None:
    """A key finds every row that plait may call equal; which of them are, plait decides."""
    rows = fetch(lookup("small", "nr"), *values, name=name)
    assert sorted(row["nr"] for row in rows) == expected
    assert all(name in row for row in rows)


@pytest.mark.fault("A7")
def test_key_that_no_value_can_equal_is_an_error(at_server: LocalAws) -> None:
    with pytest.raises(GiveUp, match=r"column `born` of table `lake.small` is date") as error:
        fetch(lookup("small"), b"x", name="born")
    assert error.value.code == "wrong-type"


@pytest.mark.parametrize(("taken", "name"), [("nr", "idd"), ("idd", "id")])
def test_unknown_column_is_told_with_those_that_there_are(at_server: LocalAws, taken: str, name: str) -> None:
    with pytest.raises(GiveUp, match="has no column `idd`") as error:
        fetch(lookup("small", taken), "x", name=name)
    assert error.value.help == "its columns are `id`, `nr`, `half`, `born`"


def test_column_and_partition_of_one_name_are_refused(at_server: LocalAws) -> None:
    with pytest.raises(GiveUp, match="has a column `born` beside the partition `day`"):
        fetch(lookup("orders", partitions={"day": "born"}), "k20")


def test_composite_keys_match_pairs(at_server: LocalAws) -> None:
    keys = [Key(fields={"id": "x", "nr": 9}), Key(fields={"id": "7", "nr": 10})]
    records = [*single_records(lookup("small").fetch(keys))]
    assert [(record.fields["id"], record.fields["nr"]) for record in records] == [("x", 9)]


@pytest.mark.fault("A6")
def test_key_with_too_many_rows_is_bad_alone(at_server: LocalAws) -> None:
    records = [
        *single_records(
            lookup("small", max_rows=1).fetch([Key(fields={"id": id}) for id in ("7", "x", "true")])
        )
    ]
    assert sorted(record.fields["id"] for record in records if not record.fault) == ["7", "true"]
    (bad,) = [record for record in records if record.fault]
    assert isinstance(bad.fault, BadRecord)
    assert (bad.fields["id"], bad.fault.message) == ("x", "more than 1 rows for one key")


@pytest.mark.fault("A6")
def test_more_keys_than_a_statement_takes_are_asked_in_several(at_server: LocalAws) -> None:
    """No statement is longer than Athena's 262,144 bytes, though each quote in a text becomes two."""
    services = Services()
    rows = fetch(lookup("small", "nr", services=services), *("'" * 50_000 + str(n) for n in range(4)), "7")
    assert [row["nr"] for row in rows] == [7]
    assert services.calls["athena:StartQueryExecution"] == 2


def test_no_row_is_no_file_and_no_record(at_server: LocalAws) -> None:
    services = Services()
    assert fetch(lookup("small", services=services), "absent") == []
    assert fetch(lookup("small", services=services)) == []
    assert services.calls["s3:GetObject"] == 0


def test_sample_is_some_rows_with_all_columns(at_server: LocalAws) -> None:
    records = lookup("orders").sample()
    assert len(records) == 20
    assert {*records[0].fields} == {*TYPES}


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
    at_server: LocalAws, workgroup: str, kind: type[PlaitError], code: str
) -> None:
    """Each failure comes again or not by its meaning, names the workgroup and a help, and shows no value."""
    with pytest.raises(PlaitError, match=f"workgroup `{workgroup}`") as error:
        fetch(lookup("small", workgroup=workgroup), "x")
    assert (type(error.value), error.value.code) == (kind, code)
    assert error.value.help
    assert "canary" not in error.value.message


def test_table_that_is_not_there_is_told(at_server: LocalAws) -> None:
    with pytest.raises(GiveUp, match=r"table `lake.nothing` cannot be used") as error:
        fetch(lookup("nothing"), "x")
    assert error.value.code == "not-found"


def state_of_last(workgroup: str) -> str:
    client = boto3.client("athena")
    id = client.list_query_executions(WorkGroup=workgroup)["QueryExecutionIds"][-1]
    return str(client.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Status"]["State"])


@pytest.mark.fault("A3")
def test_query_is_stopped_where_the_time_of_the_function_ends(
    at_server: LocalAws, monkeypatch: pytest.MonkeyPatch
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


THROTTLED = fail(
    400, b'{"__type": "TooManyRequestsException", "message": "injected"}', "application/x-amz-json-1.1"
)


@pytest.mark.parametrize(
    "operation", ["athena:StartQueryExecution", "athena:GetQueryExecution", "glue:GetTable"]
)
@pytest.mark.parametrize(
    ("fault", "when", "code"),
    [(THROTTLED, "before", "throttled"), (drop(), "before", "no-answer"), (drop(), "after", "no-answer")],
)
@pytest.mark.fault("A4")
def test_call_that_is_throttled_or_lost_is_made_again_and_then_comes_again(
    at_server: LocalAws, monkeypatch: pytest.MonkeyPatch, operation: str, fault: Any, when: Any, code: str
) -> None:
    """One such answer changes nothing, though the query was begun; where there is no other, the objects come again."""
    with Proxy(at_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        proxy.on(1, when, fault, operation=operation)
        before = len(boto3.client("athena").list_query_executions(WorkGroup="etl")["QueryExecutionIds"])
        assert [row["nr"] for row in fetch(lookup("small", "nr"), "7")] == [7]
        after = len(boto3.client("athena").list_query_executions(WorkGroup="etl")["QueryExecutionIds"])
        assert after - before == 1
        proxy.reset()
        proxy.on(1, when, fault, operation=operation, forever=True)
        with pytest.raises(TryAgain) as error:
            fetch(lookup("small", "nr"), "7")
        assert error.value.code == code
        proxy.mend()


def test_check_shows_files_partitions_and_limit(at_server: LocalAws) -> None:
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


def test_columns_are_guessed_from_the_rows_of_the_keys(at_server: LocalAws) -> None:
    guessed = with_columns(None).guess("small")
    lines = [line.split("#")[0].strip() for line in guessed.splitlines()]
    assert [line for line in lines if line.startswith(("nr", "born", "id"))] == ["nr: bigint", "born: date"]


def test_check_asks_the_table_and_says_what_no_row_fits(at_server: LocalAws) -> None:
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
    at_server: LocalAws, monkeypatch: pytest.MonkeyPatch
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
            enforce(at_server, "0")
            try:
                rows: list[Any] = fetch(lookup("small", "nr"), "7")
            except GiveUp as error:
                rows = [error.code]
            finally:
                enforce(at_server, "inf")
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
