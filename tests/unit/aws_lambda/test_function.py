"""The handler on an S3 endpoint: how it answers each kind of event, and what it reads."""

from __future__ import annotations

import io
import json
import traceback
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow.parquet
import pytest

from kit.function.events import created, in_topic, notified, queued, sent
from kit.locked import lock, locked
from kit.network.proxy import Proxy, fail
from kit.servers.buckets import buckets, contents
from kit.tables import table
from plait.aws_lambda import handler
from plait.engine.engine import Engine
from plait.language.lock import lock_file
from plait.plugin import GiveUp, PlaitError
from plait.problems.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.aws import LocalAws

SPEC = Path(__file__).parent / "transactions.yaml"
QUARANTINE = "quarantine: s3://shop-lake/bad/\n"
ANSWERS = table(Path(__file__).parent / "answers.yaml")
MAKERS: dict[str, Any] = {make.__name__: make for make in (created, notified, in_topic, sent)}
MAKERS["queue_fifo"] = partial(queued, kind="queue-fifo")
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
        return contents(self.client, "shop-lake", prefix)


@pytest.fixture(scope="module")
def proxy(aws: LocalAws) -> Iterator[Proxy]:
    with Proxy(aws.endpoint) as proxy:
        yield proxy


@pytest.fixture
def shop(at_aws: LocalAws, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A good order, a late one whose items are not there yet, and a bad one; nothing quarantines."""
    client = boto3.client("s3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    spec = tmp_path / "transactions.yaml"
    spec.write_text(SPEC.read_text())
    lock(spec)
    monkeypatch.setenv("PLAIT_SPEC", str(spec))
    shop = Shop(proxy, client, spec)
    with buckets(client, "shop-raw", "shop-lake", "other"):
        shop.put(GOOD, "good")
        shop.put(LATE, "late")
        client.put_object(Bucket="shop-raw", Key=BAD, Body=b"{")
        for id in ("good", "odd"):
            client.put_object(Bucket="shop-raw", Key=f"items/{id}.csv", Body=b"sku\ntea\n")
        proxy.reset()
        yield shop
    client.close()


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
        sent("eventbridge-deleted"),
        created(GOOD, bucket="other"),
        created("elsewhere/1.json"),
        sent("test-event"),
        created("transactions/gone.json"),
    ]
    assert failed_messages(handler(queued(*bodies))) == ["2", "3", "4", "5"]
    unknown, report, metrics, *of_lookups = logged(capsys)
    assert (unknown["message"], unknown["id"]) == ("unknown-event", "4")
    assert report["objects"] == {"seen": 6, "done": 1, "skipped": 2, "gone": 1, "retry": 1, "failed": 1}
    assert report["ignored"] == {"Object Deleted": 1, "s3:TestEvent": 1}
    keys = {name: counts["keys"] for name, counts in report["lookups"].items() if counts["keys"]}
    assert {line["Lookup"]: line["KeysAsked"] for line in of_lookups} == keys
    counts = {word: count for word, count in report["objects"].items() if word != "seen"}
    assert {word: metrics[f"Objects{word.title()}"] for word in counts} == counts
    assert len(shop.lake()) == 1


def test_a_job_of_s3_batch_operations_gets_a_result_for_each_of_its_tasks(shop: Shop) -> None:
    """What is unknown or failed stays failed, what is late may be tried again, what is done or gone is done."""
    keys = [GOOD, LATE, BAD, "transactions/gone.json", ""]
    tasks = [
        {"taskId": str(number), "s3Key": key, "s3VersionId": None, "s3BucketArn": "arn:aws:s3:::shop-raw"}
        for number, key in enumerate(keys)
    ]
    answer = handler({"invocationSchemaVersion": "1.0", "invocationId": "i", "job": {}, "tasks": tasks})
    results = answer.pop("results")
    codes = ["Succeeded", "TemporaryFailure", "PermanentFailure", "Succeeded", "PermanentFailure"]
    assert [result["resultCode"] for result in results] == codes
    assert [result["taskId"] for result in results] == ["0", "1", "2", "3", "4"]
    assert results[2]["resultString"].startswith("not JSON at byte 1")
    assert answer == {
        "invocationSchemaVersion": "1.0",
        "invocationId": "i",
        "treatMissingKeysAs": "PermanentFailure",
    }


def event_of(node: Any) -> Any:
    """An event of the table, made by the function that it names, or as it stands in `call`."""
    [(maker, arguments)] = node.items()
    if maker == "call":
        return arguments
    return MAKERS[maker](*(event_of(part) if isinstance(part, dict) else part for part in arguments))


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=pytest.mark.fault(*row.get("faults", ())), id=row["case"]) for row in ANSWERS],
)
def test_each_caller_gets_the_answer_that_it_expects(shop: Shop, row: dict[str, Any], capsys: Any) -> None:
    for key, id in row.get("put", {}).items():
        shop.put(key, id)
    shop.proxy.reset()
    for event in map(event_of, row["events"]):
        answer = None
        if "raises" in row:
            with pytest.raises(PlaitError) as raised:
                handler(event)
            assert [type(raised.value).__name__, raised.value.code][: len(row["raises"])] == row["raises"]
        else:
            answer = json.loads(json.dumps(handler(event)))
        reports = [line for line in logged(capsys) if line.pop("message") == "report"]
        assert len(reports) == ("objects" in row)
        if "again" in row:
            assert failed_messages(answer) == row["again"]
        elif "raises" not in row:
            assert [answer] == reports
        for report in reports:
            counts = {word: count for word, count in report["objects"].items() if count and word != "seen"}
            assert (counts, report["ignored"]) == (row["objects"], row.get("ignored", {}))
            assert report["objects"]["seen"] == sum(counts.values())
            files = {problem["file"].removeprefix("s3://shop-raw/") for problem in report["problems"]}
            assert files == {*row.get("problems", files)}
    assert (shop.proxy.log == []) is (row.get("requests") == 0)
    assert len(shop.lake()) == row.get("files", 0)


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


@pytest.mark.parametrize("text", ["x", "ñ", "\x7f"])
def test_an_answer_with_many_problems_is_far_below_what_step_functions_takes(
    shop: Shop, text: str, capsys: Any
) -> None:
    """Each code is there, what is left out is counted, and so it is in the log."""
    foreign = [f"s3://other/{number}/{text * 200}.json" for number in range(1, 3000)]
    report = handler({"objects": [*foreign, f"s3://shop-raw/{LATE}", f"s3://shop-raw/{BAD}"]})
    [line] = [line for line in logged(capsys) if line.pop("message") == "report"]
    assert line == report
    assert len(json.dumps(report)) < 60_000
    codes = Counter(problem["code"] for problem in report["problems"])
    assert codes.keys() == {"foreign-bucket", "not-there-yet", "bad-record"}
    assert codes["foreign-bucket"] == 20
    assert report["problems_left_out"] == {"foreign-bucket": len(foreign) - 20}


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


@pytest.mark.fault("E13")
def test_an_event_of_years_ago_gives_the_same_files(shop: Shop) -> None:
    """The partition is that of the record, never of the event's time or of today."""
    shop.put(ODD, "odd")
    handler(sent("eventbridge-created"))
    first = shop.lake()
    handler(sent("eventbridge-replayed"))
    assert shop.lake() == first
    assert all("date=2026-07-01/" in file for file in first)


@pytest.mark.fault("E14")
def test_an_empty_object_is_a_bad_record_and_a_folder_marker_is_skipped(shop: Shop) -> None:
    """No bytes are no JSON; `transactions/` does not match `*.json`."""
    shop.spec.write_text(SPEC.read_text() + QUARANTINE)
    lock(shop.spec)
    for key in ("transactions/", "transactions/empty.json"):
        shop.client.put_object(Bucket="shop-raw", Key=key, Body=b"")
    report = handler({"Items": [{"Key": "transactions/"}, {"Key": "transactions/empty.json"}]})
    assert (report["objects"]["skipped"], report["objects"]["done"]) == (1, 1)
    assert report["records"]["quarantined"] == 1
    assert len(shop.lake("bad/")) == 1


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


class BrokenContext:
    """A context that raises when it is asked for the time."""

    def get_remaining_time_in_millis(self) -> int:
        raise LookupError("a value of an order")


class MinuteContext:
    """A context that has a minute left."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function of the spec, which reads nothing."""
    monkeypatch.setenv("PLAIT_SPEC", locked(SPEC))
    monkeypatch.setattr("plait.aws_lambda.function._engines", dict[str, Engine]())


@pytest.mark.parametrize("context", [None, MinuteContext()], ids=["without a context", "with time left"])
@pytest.mark.parametrize("error", [LookupError, MemoryError, GiveUp, KeyboardInterrupt])
@pytest.mark.usefixtures("function")
def test_what_ends_a_run_ends_the_invocation(
    monkeypatch: pytest.MonkeyPatch, context: Any, error: type[BaseException]
) -> None:
    """No message is acknowledged, with or without a context that knows the time."""

    def broken(*_: object, **__: object) -> None:
        raise error("a value of an order")

    monkeypatch.setattr("plait.engine.engine.Engine.run", broken)
    for event in (queued(created(GOOD)), {"objects": [f"s3://shop-raw/{GOOD}"]}):
        with pytest.raises((InternalError, GiveUp, KeyboardInterrupt)):
            handler(event, context)


@pytest.mark.usefixtures("function")
def test_a_bug_is_reported_by_its_type_and_place_and_never_by_its_text() -> None:
    with pytest.raises(InternalError, match=r"^a bug of plait or of a connector: LookupError; ") as raised:
        handler({"objects": [f"s3://shop-raw/{GOOD}"]}, BrokenContext())
    text = "".join(traceback.format_exception(raised.value))
    assert "test_function.py" in text
    assert "a value of an order" not in text.replace('LookupError("a value of an order")', "")
