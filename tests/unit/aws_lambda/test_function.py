"""The handler on an S3 endpoint: how it answers each kind of event, and what it reads."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow.parquet
import pytest

from kit.locked import lock
from kit.paths import DATA
from kit.proxy import Proxy, fail
from plait.aws_lambda import handler
from plait.engine.engine import Engine
from plait.language.lock import lock_file
from plait.language.validate import validate_for_run
from plait.plugin import GiveUp, Item, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.aws import LocalAws

EVENTS = DATA / "events"
SPEC = """\
plait: 1
name: transactions
sources:
  transactions:
    connector: json
    path: s3://shop-raw/transactions/*.json
    columns: {id: {type: string, required: true}, at: timestamp}
  items:
    connector: csv
    path: s3://shop-raw/items/{id}.csv
    columns: {sku: string}
    join: {on: id, missing: {retry_for: 1h}}
partition_by: {date: date(at)}
sink: {connector: parquet, path: s3://shop-lake/rows/}
"""
QUARANTINE = "quarantine: s3://shop-lake/bad/\n"
GOOD, LATE, BAD = "transactions/good.json", "transactions/late.json", "transactions/bad.json"
ODD = "transactions/año 1+1 100%.json"


@dataclass
class Shop:
    """Two buckets of the pipeline, one that is not its own, and the proxy that records the requests to them."""

    proxy: Proxy
    client: Any = field(repr=False)
    spec: Path

    def put(self, key: str, id: str, at: str = "2026-07-01T10:00:00Z", **more: Any) -> None:
        body = json.dumps({"id": id, "at": at, **more})
        self.client.put_object(Bucket="shop-raw", Key=key, Body=body.encode())

    def lake(self, prefix: str = "rows/") -> dict[str, bytes]:
        """The files of the lake below a prefix."""
        listed = self.client.list_objects_v2(Bucket="shop-lake", Prefix=prefix).get("Contents", ())
        get = self.client.get_object
        return {entry["Key"]: get(Bucket="shop-lake", Key=entry["Key"])["Body"].read() for entry in listed}


@pytest.fixture(scope="module")
def proxy(aws: LocalAws) -> Iterator[Proxy]:
    with Proxy(aws.endpoint) as proxy:
        yield proxy


@pytest.fixture
def shop(at_aws: LocalAws, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A good order, a late one whose items are not there yet, and a bad one; nothing quarantines."""
    client = boto3.client("s3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    location: Any = {"LocationConstraint": "eu-west-1"}
    for bucket in ("shop-raw", "shop-lake", "other"):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    spec = tmp_path / "transactions.yaml"
    spec.write_text(SPEC)
    lock(spec)
    monkeypatch.setenv("PLAIT_SPEC", str(spec))
    shop = Shop(proxy, client, spec)
    shop.put(GOOD, "good")
    shop.put(LATE, "late")
    client.put_object(Bucket="shop-raw", Key=BAD, Body=b"{")
    for id in ("good", "odd"):
        client.put_object(Bucket="shop-raw", Key=f"items/{id}.csv", Body=b"sku\ntea\n")
    proxy.reset()
    yield shop
    for bucket in ("shop-raw", "shop-lake", "other"):
        for entry in client.list_objects_v2(Bucket=bucket).get("Contents", ()):
            client.delete_object(Bucket=bucket, Key=entry["Key"])
        client.delete_bucket(Bucket=bucket)
    client.close()


def golden(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def created(key: str, bucket: str = "shop-raw") -> dict[str, Any]:
    event: dict[str, Any] = golden("eventbridge-created")
    event["detail"]["bucket"]["name"] = bucket
    event["detail"]["object"]["key"] = key
    return event


def notified(*keys: str) -> dict[str, Any]:
    [record] = golden("notification-put")["Records"]
    return {
        "Records": [record | {"s3": {"bucket": {"name": "shop-raw"}, "object": {"key": key}}} for key in keys]
    }


def in_topic(event: Any) -> dict[str, Any]:
    topic: dict[str, Any] = golden("topic-notification")
    topic["Records"][0]["Sns"]["Message"] = json.dumps(event)
    return topic


def queued(*bodies: Any, kind: str = "queue-notification") -> dict[str, Any]:
    """Messages of a queue, numbered from 1; a body that is a text is taken as it is."""
    record = golden(kind)["Records"][0]
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [record | {"messageId": str(n), "body": text} for n, text in enumerate(texts, 1)]}


def failed_messages(answer: Any) -> list[str]:
    assert answer.keys() == {"batchItemFailures"}
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def logged(capsys: Any) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.fault("E11")
def test_a_queue_must_deliver_again_only_the_messages_whose_own_objects_need_it(
    shop: Shop, capsys: Any
) -> None:
    """Failed, late and unknown messages are delivered again; done, deleted, foreign and not matching ones are not."""
    bodies = [
        created(GOOD),
        created(BAD),
        created(LATE),
        "no event",
        notified(GOOD, LATE),
        golden("eventbridge-deleted"),
        created(GOOD, bucket="other"),
        created("elsewhere/1.json"),
        golden("test-event"),
        created("transactions/gone.json"),
    ]
    assert failed_messages(handler(queued(*bodies))) == ["2", "3", "4", "5"]
    unknown, report, metrics = logged(capsys)
    assert (unknown["message"], unknown["id"]) == ("unknown-event", "4")
    assert report["objects"] == {"seen": 6, "done": 1, "skipped": 2, "gone": 1, "retry": 1, "failed": 1}
    assert report["ignored"] == {"Object Deleted": 1, "s3:TestEvent": 1}
    assert [metrics[f"Objects{word}"] for word in ("Done", "Skipped", "Gone", "Retry", "Failed")] == [
        1,
        2,
        1,
        1,
        1,
    ]
    assert len(shop.lake()) == 1


def test_a_fifo_queue_delivers_again_only_the_message_itself_since_order_changes_nothing(shop: Shop) -> None:
    """Later messages of its group are done: rows are made of the object as it is, in whatever order events arrive."""
    assert failed_messages(handler(queued(created(LATE), created(GOOD), kind="queue-fifo"))) == ["1"]
    assert len(shop.lake()) == 1


@pytest.mark.parametrize(
    ("keys", "error"), [([LATE], TryAgain), ([BAD], GiveUp), ([BAD, LATE], TryAgain), ([GOOD, BAD], GiveUp)]
)
def test_an_asynchronous_event_raises_if_an_object_failed_or_must_be_tried_again(
    shop: Shop, keys: list[str], error: type[Exception]
) -> None:
    """AWS sends events of EventBridge, S3 and SNS again if the function raises; good objects are written anyway."""
    for event in [notified(*keys), in_topic(notified(*keys)), *(created(key) for key in keys[-1:])]:
        with pytest.raises(error):
            handler(event)
    assert len(shop.lake()) == (GOOD in keys)


@pytest.mark.parametrize("event", [created(GOOD), notified(GOOD), in_topic(created(GOOD))])
def test_an_asynchronous_event_that_is_done_returns(shop: Shop, event: Any) -> None:
    assert handler(event)["objects"]["done"] == 1


@pytest.mark.parametrize("name", ["objects", "Items"])
def test_a_list_of_objects_gets_the_report_whatever_became_of_them(shop: Shop, name: str) -> None:
    """A direct caller reads the report, so nothing is raised for an object that was tried."""
    keys = [GOOD, LATE, BAD]
    entries = (
        [f"s3://shop-raw/{key}" for key in keys] if name == "objects" else [{"Key": key} for key in keys]
    )
    report = handler({name: entries})
    assert report["objects"] == {"seen": 3, "done": 1, "skipped": 0, "gone": 0, "retry": 1, "failed": 1}
    assert {problem["file"].removeprefix("s3://shop-raw/") for problem in report["problems"]} == {BAD, LATE}


@pytest.mark.fault("E9")
@pytest.mark.parametrize(
    "event", [{}, [], None, "x", {"objects": ["s3://shop-raw/a.json", 7]}, {"Items": [{}]}]
)
def test_a_call_of_unknown_shape_is_an_error_and_nothing_is_read(shop: Shop, event: Any) -> None:
    with pytest.raises(GiveUp) as raised:
        handler(event)
    assert raised.value.code == "unknown-event"
    assert shop.proxy.log == []


@pytest.mark.fault("E9")
@pytest.mark.parametrize(
    "name", ["test-event", "empty-records", "eventbridge-deleted", "notification-removed", "topic-test-event"]
)
def test_an_event_of_no_new_object_is_no_failure_and_reads_nothing(shop: Shop, name: str) -> None:
    report = handler(golden(name))
    assert report["objects"]["seen"] == 0
    assert sum(report["ignored"].values()) == (name != "empty-records")
    assert shop.proxy.log == []


def test_without_a_valid_spec_every_call_raises(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A direct call raises too."""
    shop.spec.with_suffix(".bad.yaml").write_text("plait: 1\n")
    for file in ("", "nowhere.yaml", str(shop.spec.with_suffix(".bad.yaml"))):
        monkeypatch.setenv("PLAIT_SPEC", file)
        with pytest.raises(GiveUp):
            handler({"objects": []})


def test_without_a_lock_every_call_gives_up(shop: Shop) -> None:
    """Nothing says that the spec was checked, and the function has no checker."""
    lock_file(str(shop.spec)).unlink()
    with pytest.raises(GiveUp) as raised:
        handler({"objects": []})
    assert raised.value.code == "no-lock"


@pytest.mark.fault("E6")
@pytest.mark.parametrize("bucket", ["other", "shop-raw-2", "shop-lake", "SHOP-RAW", "shop-raw."])
def test_an_object_of_another_bucket_is_never_touched(shop: Shop, bucket: str) -> None:
    """Even if it exists and may be read, it is skipped and reported as foreign, without a request."""
    shop.client.put_object(Bucket="other", Key=GOOD, Body=b'{"id": "good", "at": "2026-07-01T10:00:00Z"}')
    uri = f"s3://{bucket}/{GOOD}"
    for event in (
        created(GOOD, bucket=bucket),
        {"objects": [uri]},
        {"Items": [{"Bucket": bucket, "Key": GOOD}]},
    ):
        report = handler(event)
        assert report["objects"]["skipped"] == report["objects"]["seen"] == 1
        [problem] = report["problems"]
        assert (problem["code"], problem["level"], problem["file"]) == ("foreign-bucket", "warning", uri)
    assert failed_messages(handler(queued(created(GOOD, bucket=bucket)))) == []
    assert shop.proxy.log == []


@pytest.mark.fault("E7")
@pytest.mark.parametrize(
    "key",
    [
        "elsewhere/1.json",
        "transactions/1.csv",
        "transactions/2026/1.json",
        "x/transactions/1.json",
        "transactions/",
    ],
)
def test_an_object_that_does_not_match_the_path_is_never_touched(shop: Shop, key: str) -> None:
    shop.put(key, "good")
    shop.proxy.reset()
    report = handler(created(key))
    assert report["objects"]["skipped"] == 1
    assert report["problems"] == []
    assert shop.proxy.log == []


@pytest.mark.fault("E8")
@pytest.mark.parametrize(
    "name", ["eventbridge-created", "queue-topic-notification", "topic-notification", "map-listing"]
)
def test_the_object_with_the_odd_key_is_found_by_every_event(shop: Shop, name: str) -> None:
    shop.put(ODD, "odd")
    handler(golden(name))
    assert len(shop.lake()) == 1


@pytest.mark.fault("E2")
@pytest.mark.fault("E4")
@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 1, 0), (0,)])
def test_events_of_two_versions_in_any_order_leave_the_row_of_the_newest(
    shop: Shop, order: tuple[int, ...]
) -> None:
    """An event only names the object: once the second version is there, the event of the first reads it too."""
    events = [created(GOOD), created(GOOD)]
    events[1]["detail"]["object"] |= {"etag": "f" * 32, "sequencer": "0066827B3F1A2C9DFF", "size": 9**12}
    handler(events[0])
    old = shop.lake()
    shop.put(GOOD, "good", at="2026-07-01T11:00:00Z")
    for version in order:
        assert handler(events[version])["objects"]["done"] == 1
    [data] = shop.lake().values()
    assert shop.lake().keys() == old.keys()
    assert pyarrow.parquet.read_table(io.BytesIO(data))["at"].to_pylist()[0].hour == 11


@pytest.mark.fault("E5")
def test_an_object_is_read_by_one_request_so_that_versions_never_mix(shop: Shop) -> None:
    """Even a large object is not read in ranges, between which it could be overwritten."""
    shop.put(GOOD, "good", padding="x" * 20_000_000)
    shop.proxy.reset()
    assert handler(created(GOOD))["objects"]["done"] == 1
    operations = [request.operation for request in shop.proxy.log if request.path.endswith(GOOD)]
    assert operations == ["s3:GetObject"]


@pytest.mark.fault("E12")
def test_two_invocations_at_once_leave_the_bytes_of_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same objects are read twice at the same time: both runs are done, and each file is complete and equal."""
    keys = [f"transactions/{n}.json" for n in range(20)]
    for key in keys:
        shop.put(key, "good")
    spec = validate_for_run(str(shop.spec), {}).spec
    assert spec is not None
    handler({"objects": [f"s3://shop-raw/{key}" for key in keys]})
    first = shop.lake()
    for key in first:
        shop.client.delete_object(Bucket="shop-lake", Key=key)

    def invoke(_: int) -> Any:
        return Engine(spec).run(Item(uri=f"s3://shop-raw/{key}") for key in keys).objects["done"]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(invoke, range(2))) == [20, 20]
    assert shop.lake() == first


@pytest.mark.fault("E13")
def test_an_event_of_years_ago_gives_the_same_files(shop: Shop) -> None:
    """The partition is that of the record, never of the event's time or of today."""
    shop.put(ODD, "odd")
    handler(golden("eventbridge-created"))
    first = shop.lake()
    handler(golden("eventbridge-replayed"))
    assert shop.lake() == first
    assert all("date=2026-07-01/" in file for file in first)


@pytest.mark.fault("E14")
def test_an_empty_object_is_a_bad_record_and_a_folder_marker_is_skipped(shop: Shop) -> None:
    """No bytes are no JSON; `transactions/` does not match `*.json`."""
    shop.spec.write_text(SPEC + QUARANTINE)
    lock(shop.spec)
    for key in ("transactions/", "transactions/empty.json"):
        shop.client.put_object(Bucket="shop-raw", Key=key, Body=b"")
    report = handler({"Items": [{"Key": "transactions/"}, {"Key": "transactions/empty.json"}]})
    assert (report["objects"]["skipped"], report["objects"]["done"]) == (1, 1)
    assert report["records"]["quarantined"] == 1
    assert len(shop.lake("bad/")) == 1


@pytest.mark.fault("E3")
def test_a_deleted_object_is_counted_as_gone_and_is_no_failure(shop: Shop) -> None:
    report = handler(created("transactions/gone.json"))
    assert report["objects"]["gone"] == report["objects"]["seen"] == 1
    assert shop.lake() == {}


DENIED = (
    "User: arn:aws:sts::210987654321:assumed-role/plait/x is not authorized to perform: kms:Decrypt on a key"
)


@pytest.mark.fault("E3")
@pytest.mark.fault("E15")
@pytest.mark.parametrize(
    ("status", "code", "text", "help"),
    [
        (403, "AccessDenied", "Access Denied", "`s3:ListBucket`"),
        (403, "AccessDenied", "Access Denied", "requester has to pay"),
        (403, "AccessDenied", DENIED, "`kms:Decrypt`"),
        (400, "KMS.DisabledException", "The key is disabled.", "enable the key"),
        (403, "InvalidObjectState", "The storage class does not allow this.", "restore it"),
    ],
)
def test_a_refusal_that_a_person_must_mend_fails_at_the_first_try_and_says_what_to_do(
    shop: Shop, status: int, code: str, text: str, help: str
) -> None:
    """An object that is archived, denied, or encrypted by a foreign key fails again until somebody acts."""
    body = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()
    shop.proxy.on(1, "before", fail(status, body), operation="s3:GetObject", forever=True)
    report = handler({"objects": [f"s3://shop-raw/{GOOD}"]})
    assert report["objects"]["failed"] == 1
    assert code in report["problems"][0]["message"]
    assert help in report["problems"][0]["help"]
    assert shop.proxy.calls["s3:GetObject"] == 1
    assert failed_messages(handler(queued(created(GOOD)))) == ["1"]
