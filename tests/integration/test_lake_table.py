"""The table of the sink in Glue's catalogue: made, changed and filled by many at once, as awswrangler reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import awswrangler
import boto3
import pytest
from click.testing import CliRunner

import plait
from kit.locked import locked
from kit.network import faults
from kit.network.proxy import Proxy
from kit.servers.buckets import contents
from kit.shop import HandlerRun, forked, queue
from plait.cli.main import main
from plait.engine.context import Services
from plait.plugin import FolderPath, Item, Settled, TableName, Written
from plait_connectors.parquet import ParquetOptions, ParquetSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plait_sandbox.aws import LocalAws

COLUMNS = {
    "id": {"type": "string", "description": "number of the order"},
    "at": "timestamp",
    "tier": "string",
    "qty": "int",
    "lines": "array<struct<sku:string,price:decimal(8,2)>>",
}
ORDERS = {
    "a": {"id": "a", "at": "2026-07-01T10:00:00Z", "tier": "gold", "qty": 1, "lines": [{"sku": "tea"}]},
    "b": {"id": "b", "at": "2026-07-02T10:00:00Z", "tier": "São=50%", "qty": 2},
    "c": {"id": "c", "at": None, "tier": "gold"},
}


@dataclass
class Lake:
    """A bucket with three orders, and specs whose sink is one table of a database of its own."""

    name: str
    folder: Path
    proxy: Proxy
    environment: dict[str, str]
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: Any) -> Any:
        return self.clients.setdefault(service, boto3.client(service))

    def spec(self, columns: dict[str, Any] | None = None, **blocks: Any) -> Path:
        source = {
            "connector": "json",
            "path": f"s3://shop-raw-{self.name}/*.json",
            "columns": columns or COLUMNS,
        }
        sink = {"connector": "parquet", "path": self.location, "table": f"{self.name}.orders"}
        document = {
            "plait": 1,
            "name": "orders",
            "description": "One row an order.",
            "sources": {"orders": source},
            "partition_by": {"date": "date(at)", "tier": "tier"},
            "sink": {**sink, **blocks.pop("sink", {})},
            **blocks,
        }
        file = self.folder / "orders.yaml"
        file.write_text(json.dumps(document), encoding="utf-8")
        return file

    @property
    def location(self) -> str:
        return f"s3://shop-lake-{self.name}/orders/"

    def table(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client("glue").get_table(DatabaseName=self.name, Name="orders")["Table"]
        return answer

    def types(self) -> dict[str, str]:
        """The types of the columns and partitions, as awswrangler reads them."""
        return awswrangler.catalog.get_table_types(self.name, "orders") or {}

    def partitions(self) -> dict[str, list[str]]:
        """The partitions by their location below the table's, as awswrangler reads them."""
        answer = awswrangler.catalog.get_partitions(self.name, "orders")
        return {location.removeprefix(self.location): values for location, values in answer.items()}

    def files(self) -> set[str]:
        """The folders of the lake that have a file."""
        keys = contents(self.client("s3"), f"shop-lake-{self.name}", "orders/")
        return {key.removeprefix("orders/").rpartition("/")[0] + "/" for key in keys}

    def handle(self, spec: Path, *keys: str, started: Any = lambda _pid: None) -> HandlerRun:
        """Give the events of these orders to a function in a process of its own."""
        environment = {**os.environ, "PLAIT_SPEC": locked(spec)}
        events = queue([f"{key}.json" for key in keys])
        for record in events["Records"]:
            record["body"] = record["body"].replace('"shop-raw"', f'"shop-raw-{self.name}"')
        return forked(environment, [events], started)


FOLDERS = {
    "date=2026-07-01/tier=gold/": ["2026-07-01", "gold"],
    "date=2026-07-02/tier=São%3D50%25/": ["2026-07-02", "São=50%"],
    "date=__HIVE_DEFAULT_PARTITION__/tier=gold/": ["__HIVE_DEFAULT_PARTITION__", "gold"],
}


@pytest.fixture
def lake(
    aws: LocalAws,
    at_aws: LocalAws,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lake]:
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    with Proxy(aws.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        lake = Lake(name, tmp_path, proxy, at_aws.environment())
        for bucket in (f"shop-raw-{name}", f"shop-lake-{name}"):
            where: Any = {"LocationConstraint": "eu-west-1"}
            lake.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        for key, order in ORDERS.items():
            body = json.dumps(order).encode()
            lake.client("s3").put_object(Bucket=f"shop-raw-{name}", Key=f"{key}.json", Body=body)
        yield lake


def command(*arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(main, [*arguments, "-o", "json"])
    return done.exit_code, json.loads(done.stdout) if done.stdout else done.stderr


def make(spec: Path) -> list[str]:
    """Apply what a spec means; what changed."""
    code, answer = command("table", str(spec), "--apply")
    assert code == 0, answer
    return list(answer["changes"])


def test_a_table_is_made_as_the_plan_has_it_and_filled_by_a_run(lake: Lake) -> None:
    """Types, comments and partitions, null and odd values too, are those that awswrangler reads; then nothing changes."""
    spec = lake.spec()
    code, answer = command("table", str(spec))
    assert (code, answer["applied"], lake.proxy.calls["glue:CreateTable"]) == (0, False, 0)
    assert (
        make(spec)
        == answer["changes"]
        == [f"make the database `{lake.name}`", f"make the table `{lake.name}.orders`"]
    )
    plan = plait.load(str(spec)).plan()
    meant = {f.name: str(f.type.in_table()) for f in (*plan.columns, *plan.partitions)}
    assert lake.types() == meant
    comments = awswrangler.catalog.get_columns_comments(lake.name, "orders")
    assert comments["id"] == "number of the order"
    assert lake.table()["Description"] == "One row an order."

    code, report = command("run", str(spec), "--all")
    assert (code, report["objects"]["done"]) == (0, 3)
    assert lake.partitions() == FOLDERS
    assert lake.files() == {*FOLDERS}
    assert [*plait.load(str(spec)).missing()] == []
    for partition in lake.client("glue").get_partitions(DatabaseName=lake.name, TableName="orders")[
        "Partitions"
    ]:
        assert partition["StorageDescriptor"]["Columns"] == lake.table()["StorageDescriptor"]["Columns"]
    assert make(spec) == []
    code, answer = command("table", str(spec))
    assert (code, answer["changes"], answer["refused"]) == (0, [], [])


def test_a_process_registers_a_partition_once(lake: Lake) -> None:
    spec = lake.spec()
    make(spec)
    lake.proxy.reset()
    pipeline = plait.load(str(spec))
    engine = pipeline.engine()
    for _ in range(2):
        assert engine.run(engine.find(), batch=1).objects["done"]
    assert lake.proxy.calls["glue:BatchCreatePartition"] == 3


def test_folders_that_are_there_become_partitions(lake: Lake) -> None:
    """A lake that was written without a table: what is no file of the sink's is left alone."""
    spec = lake.spec()
    text = json.loads(spec.read_text())
    del text["sink"]["table"]
    spec.write_text(json.dumps(text))
    assert command("run", str(spec), "--all")[0] == 0
    for key in ("orders/readme.txt", "orders/date=2026-07-03/x.parquet", "orders/date=1/tier=2/a.tmp"):
        lake.client("s3").put_object(Bucket=f"shop-lake-{lake.name}", Key=key, Body=b"")
    spec = lake.spec()
    assert (
        command("table", str(spec))[1]["changes"][-1]
        == "register 3 partitions, such as `date=2026-07-01/tier=gold/`"
    )
    make(spec)
    assert lake.partitions() == FOLDERS


def test_a_folder_whose_partition_lies_elsewhere_is_told(lake: Lake) -> None:
    """Its rows are in no table, though Glue says that the partition is there."""
    spec = lake.spec()
    make(spec)
    storage = {**lake.table()["StorageDescriptor"], "Location": "s3://elsewhere/"}
    partition: Any = {"Values": ["2026-07-01", "gold"], "StorageDescriptor": storage}
    lake.client("glue").create_partition(DatabaseName=lake.name, TableName="orders", PartitionInput=partition)
    assert command("run", str(spec), "--all")[0] == 0
    assert command("table", str(spec))[1]["refused"] == [
        "its partition of `date=2026-07-01/tier=gold/` lies at `s3://elsewhere/`: remove it from the table"
    ]


def test_a_link_to_a_table_of_others_gets_no_partition(lake: Lake) -> None:
    glue: Any = lake.client("glue")
    glue.create_database(DatabaseInput={"Name": lake.name})
    link = {"CatalogId": "1", "DatabaseName": "of", "Name": "others"}
    glue.create_table(DatabaseName=lake.name, TableInput={"Name": "orders", "TargetTable": link})
    code, report = command("run", str(lake.spec()), "--all")
    assert (code, {problem["code"] for problem in report["problems"]}) == (1, {"wrong-table"})


TOGETHER = """
import sys
import plait
from plait.deploy.lake_table import apply
from plait.engine.context import Services
spec, uri = sys.argv[1:]
pipeline = plait.load(spec)
print("ready", flush=True)
sys.stdin.readline()
print(pipeline.run([uri]).objects["done"] if uri else bool(apply(pipeline.plan(), Services())))
"""


def at_once(*jobs: tuple[str, str]) -> list[str]:
    """Run specs over an object each, or apply their tables, in processes that begin together; what each says."""
    command = [sys.executable, "-P", "-c", TOGETHER]
    options: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, *job], **options) for job in jobs]
    assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * len(jobs)
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=120)[0].strip() for process in processes]


def test_eight_processes_add_one_partition_which_stands_once(lake: Lake) -> None:
    spec = lake.spec()
    make(spec)
    uri = f"s3://shop-raw-{lake.name}/a.json"
    assert at_once(*[(str(spec), uri)] * 8) == ["1"] * 8
    assert lake.proxy.calls["glue:BatchCreatePartition"] == 8
    assert [*lake.partitions()] == ["date=2026-07-01/tier=gold/"]


def test_two_who_add_a_column_each_at_once_both_add_it(lake: Lake) -> None:
    make(lake.spec())
    specs = []
    for name in ("left", "right"):
        spec = lake.spec({**COLUMNS, name: "string"})
        specs.append(str(spec.rename(spec.with_name(f"{name}.yaml"))))
    assert at_once(*((spec, "") for spec in specs)) == ["True"] * 2
    assert lake.types().keys() >= {"left", "right", *COLUMNS}


def test_a_change_of_a_version_that_is_old_is_planned_anew(lake: Lake) -> None:
    """Somebody adds a column between reading and writing: both columns stand, and so do parameters of others."""
    make(lake.spec())

    def interfere() -> None:
        table = lake.table()
        storage = table["StorageDescriptor"]
        storage["Columns"].append({"Name": "theirs", "Type": "date"})
        changed: Any = {
            "Name": "orders",
            "StorageDescriptor": storage,
            "PartitionKeys": table["PartitionKeys"],
        }
        changed["Parameters"] = {**table["Parameters"], "of": "others"}
        client = boto3.client("glue", endpoint_url=lake.environment["AWS_ENDPOINT_URL"])
        client.update_table(DatabaseName=lake.name, TableInput=changed)

    lake.proxy.on(1, "before", interfere, operation="glue:UpdateTable")
    make(lake.spec({**COLUMNS, "ours": "string"}))
    assert lake.proxy.calls["glue:UpdateTable"] == 2
    assert lake.types().keys() >= {"ours", "theirs"}
    assert lake.table()["Parameters"]["of"] == "others"


def test_partitions_get_the_columns_of_the_table_that_was_widened(lake: Lake) -> None:
    """Athena reads a partition's files by its own types, and files of the wider type come into old partitions too."""
    spec = lake.spec()
    make(spec)
    assert command("run", str(spec), "--all")[0] == 0
    spec = lake.spec({**COLUMNS, "qty": "bigint", "new": "date"})
    assert make(spec) == [
        "widen `qty` from int to bigint",
        "add the column `new` date",
        "give the columns of the table to 3 of its partitions",
    ]
    answer = lake.client("glue").get_partitions(DatabaseName=lake.name, TableName="orders")
    columns = [partition["StorageDescriptor"]["Columns"] for partition in answer["Partitions"]]
    assert columns == [lake.table()["StorageDescriptor"]["Columns"]] * 3
    assert lake.partitions() == FOLDERS
    assert make(spec) == []


def test_what_would_break_the_table_is_refused_and_changes_nothing(lake: Lake) -> None:
    make(lake.spec())
    before = lake.table()
    spec = lake.spec({**COLUMNS, "qty": "string", "new": "string"}, sink={"path": lake.location + "v2/"})
    code, answer = command("table", str(spec))
    assert code == 1
    assert answer["refused"] == [
        f"it lies at `{lake.location}`: its files so far would no longer be in the table",
        "`qty` is int, not string: files so far have other values, so give the column another name",
    ]
    done = CliRunner().invoke(main, ["table", str(spec), "--apply"])
    assert done.exit_code == 1
    assert "error[breaking-change]" in done.stderr
    assert lake.table() == before


def test_a_projected_table_needs_no_partition_and_hides_no_folder(lake: Lake) -> None:
    """Nothing is registered, what Athena would not see is in quarantine; a projection that hides files is refused."""
    columns: Any = {"date": {"from": "2026-07-01"}, "tier": {"values": ["gold", "silver"]}}
    sink = {"partitions": {"projection": columns}}
    spec = lake.spec(sink=sink, quarantine=lake.location.replace("orders", "bad"))
    make(spec)
    assert lake.table()["Parameters"]["projection.date.range"] == "2026-07-01,NOW+1DAYS"
    report = command("run", str(spec), "--all")[1]
    assert report["records"] == {**report["records"], "written": 1, "quarantined": 2}
    assert {problem["code"] for problem in report["problems"]} == {"outside-projection"}
    assert (lake.partitions(), lake.files()) == ({}, {"date=2026-07-01/tier=gold/"})
    assert make(spec) == []

    columns["date"]["from"] = "2026-07-02"
    code, answer = command("table", str(lake.spec(sink=sink)))
    assert (code, answer["refused"]) == (
        1,
        ["Athena would not see 1 of its folders, such as `date=2026-07-01/tier=gold/`"],
    )
    assert make(lake.spec()) == [
        "project no partitions",
        "register 1 partition, such as `date=2026-07-01/tier=gold/`",
    ]


@pytest.mark.fault("P5")
def test_a_process_that_dies_before_the_partition_leaves_it_to_the_redelivery(lake: Lake) -> None:
    """The files are there and the table does not have them; the same message again registers them."""
    spec = lake.spec()
    make(spec)
    pids: list[int] = []
    lake.proxy.on(1, "before", faults.kill(lambda: pids[-1]), operation="glue:BatchCreatePartition")
    killed = lake.handle(spec, "a", started=pids.append)
    assert (killed.answers, killed.exitcode) == ([], -9)
    assert (lake.files(), lake.partitions()) == ({"date=2026-07-01/tier=gold/"}, {})
    assert lake.handle(spec, "a").answers == [{"batchItemFailures": []}]
    assert [*lake.partitions()] == ["date=2026-07-01/tier=gold/"]


@pytest.mark.fault("P8")
@pytest.mark.parametrize("operation", ["glue:GetTable", "glue:BatchCreatePartition"])
def test_an_answer_of_glue_that_is_lost_is_asked_for_again(lake: Lake, operation: str) -> None:
    """Once, nobody notices; each time, the messages come again, though Glue has the partition."""
    spec = lake.spec()
    make(spec)
    lake.proxy.on(1, "after", faults.drop(), operation=operation)
    assert lake.handle(spec, "a").answers == [{"batchItemFailures": []}]
    assert [*lake.partitions()] == ["date=2026-07-01/tier=gold/"]
    lake.proxy.on(1, "after", faults.drop(), operation=operation, forever=True)
    failed = lake.handle(spec, "b", "c")
    assert failed.answers == [{"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]}]
    assert {problem["code"] for problem in failed.reports[0]["problems"]} == {"no-answer"}
    lake.proxy.mend()
    assert lake.handle(spec, "b", "c").answers == [{"batchItemFailures": []}]
    assert lake.partitions() == FOLDERS


def test_a_refused_partition_fails_its_own_objects_alone(lake: Lake) -> None:
    """Glue answers for each partition; what is denied for good says what to do."""
    spec = lake.spec()
    make(spec)
    values = FOLDERS["date=2026-07-02/tier=São%3D50%25/"]
    error = {
        "PartitionValues": values,
        "ErrorDetail": {"ErrorCode": "AccessDeniedException", "ErrorMessage": "no"},
    }
    body = json.dumps({"Errors": [error]}).encode()
    answer = faults.fail(200, body, "application/x-amz-json-1.1")
    lake.proxy.on(1, "before", answer, operation="glue:BatchCreatePartition")
    failed = lake.handle(spec, "a", "b")
    assert failed.reports[0]["objects"]["failed"] == 1
    (problem,) = failed.reports[0]["problems"]
    assert (problem["code"], problem["file"]) == ("denied", f"s3://shop-raw-{lake.name}/b.json")
    assert problem["help"] == "allow the role `glue:BatchCreatePartition` on it"


def test_more_folders_than_one_call_takes_are_registered_in_several(lake: Lake) -> None:
    """By a hundred; those that are there already count as made, and are not made again by this process."""
    make(lake.spec())
    folders = [f"date=2026-07-01/tier={number}/" for number in range(150)]
    options = ParquetOptions(
        path=FolderPath.parse(lake.location), table=TableName.parse(f"{lake.name}.orders")
    )
    sink = ParquetSink(options, Services().context("sink", None))
    for some in (folders[:20], folders, folders):
        files = [Written(uri=f"{lake.location}{folder}x.parquet", rows=1, bytes=1) for folder in some]
        assert sink.commit([Settled(item=Item(uri="x"), files=tuple(files))]) == [None]
    assert lake.partitions().keys() == {*folders}
    assert lake.proxy.calls["glue:BatchCreatePartition"] == 3


def test_check_asks_for_the_table(lake: Lake) -> None:
    spec = lake.spec()
    code, answer = command("check", str(spec))
    problem = answer["blocks"][-1]["problem"]
    assert (code, problem["code"], problem["help"]) == (1, "not-found", "make it by `plait table --apply`")
    make(spec)
    code, answer = command("check", str(spec))
    assert (code, answer["blocks"][-1]["facts"][-1]) == (
        0,
        f"table `{lake.name}.orders`, parted by `date`, `tier`",
    )


def test_a_table_that_is_not_there_is_told_with_what_makes_it(lake: Lake) -> None:
    failed = lake.handle(lake.spec(), "a")
    (problem,) = failed.reports[0]["problems"]
    assert (problem["code"], problem["help"]) == ("not-found", "make it by `plait table --apply`")


def test_a_table_that_is_parted_otherwise_gets_no_partition(lake: Lake) -> None:
    make(lake.spec(partition_by={"tier": "tier"}))
    (problem,) = lake.handle(lake.spec(), "a").reports[0]["problems"]
    assert problem["code"] == "wrong-table"
    assert (
        problem["message"]
        == f"the table `{lake.name}.orders` is parted by `tier`, and the files by `date`, `tier`"
    )
