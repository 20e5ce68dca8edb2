"""Objects on a real S3 endpoint and in real folders."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from plait.plugin import GiveUp, Item, Missing, ObjectChanged, Put, StoredObject, TryAgain, Written
from plait.storage.objects import Storage

if TYPE_CHECKING:
    from pathlib import Path

    from plait_sandbox.aws import LocalAws

ODD = ["a//b", "a/../b", "./a", "/first", "last/", "tab\tkey"]
USUAL = ["a b+c ñ 日本 %41.json", "x%2Fy", "q?x#y", "a*b", "a\\b", "a&b=c:;,@!$()'\""]


@pytest.fixture
def s3(at_aws: LocalAws) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="shop"):
        for entry in page.get("Contents", ()):
            client.delete_object(Bucket="shop", Key=entry["Key"])
    client.delete_bucket(Bucket="shop")
    client.close()


@pytest.fixture
def calls() -> Any:
    return Counter()


@pytest.fixture
def storage(calls: Counter[str]) -> Any:
    return Storage(lambda operation, n: calls.update({operation: n}))


def driving(s3: Any, body: bytes = b"one") -> Any:
    s3.put_object(Bucket="shop", Key="in/1.json", Body=body)
    return Item(
        uri="s3://shop/in/1.json", etag=s3.head_object(Bucket="shop", Key="in/1.json")["ETag"].strip('"')
    )


@pytest.mark.parametrize("key", [*USUAL, *ODD])
def test_every_key_is_put_listed_read_and_deleted_as_it_is(s3: Any, storage: Any, key: str) -> None:
    uri = f"s3://shop/{key}"
    assert storage.put([Put(uri=uri, data=b"x")]) == [Written(uri=uri, rows=0, bytes=1)]
    assert s3.get_object(Bucket="shop", Key=key)["Body"].read() == b"x"
    (listed,) = storage.list("s3://shop/")
    (stored,) = storage.get([uri])
    assert (listed.uri, listed.size, stored.item.etag, stored.data) == (uri, 1, listed.etag, b"x")
    assert storage.remove([Item(uri=uri), Item(uri=uri)]) == [None, None]
    assert [*storage.list("s3://shop/")] == []


def test_many_objects_come_in_the_order_asked_with_the_missing_among_them(
    s3: Any, storage: Any, calls: Counter[str]
) -> None:
    uris = [f"s3://shop/many/{n}" for n in range(150)]
    storage.put([Put(uri=uri, data=uri.encode()) for uri in uris if not uri.endswith("7")])
    answers = [*storage.get(uris)]
    assert [a.uri if isinstance(a, Missing) else a.data.decode() for a in answers] == uris
    assert sum(isinstance(a, Missing) for a in answers) == 15
    assert calls == {"s3:PutObject": 135, "s3:GetObject": 150}


def test_a_reader_may_stop_early(s3: Any, storage: Any) -> None:
    answers = storage.get([f"s3://shop/{n}" for n in range(200)])
    assert isinstance(next(answers), Missing)
    answers.close()


def test_a_missing_bucket_is_an_error_and_not_a_missing_object(s3: Any, storage: Any) -> None:
    (answer,) = storage.get(["s3://no-such-bucket/a"])
    (written,) = storage.put([Put(uri="s3://no-such-bucket/a", data=b"")])
    assert type(answer) is type(written) is GiveUp
    assert "NoSuchBucket" in answer.message
    with pytest.raises(GiveUp, match="NoSuchBucket"):
        next(storage.list("s3://no-such-bucket/"))


def test_an_endpoint_that_does_not_answer_is_worth_another_try(
    s3: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    (answer,) = storage.get(["s3://shop/a"])
    assert type(answer) is TryAgain


def test_a_key_that_is_too_long_is_missing(s3: Any, storage: Any) -> None:
    assert isinstance(next(storage.get(["s3://shop/" + "k" * 1100])), Missing)


def test_the_common_case_is_one_put(s3: Any, storage: Any, calls: Counter[str]) -> None:
    source = driving(s3)
    assert storage.put([Put(uri="s3://shop/out/1", data=b"row", source=source)])[0].bytes == 3
    assert calls == {"s3:PutObject": 1}
    assert s3.head_object(Bucket="shop", Key="out/1")["Metadata"] == {"plait-source-etag": source.etag}


def test_the_same_version_delivered_again_replaces_its_file(
    s3: Any, storage: Any, calls: Counter[str]
) -> None:
    source = driving(s3)
    storage.put([Put(uri="s3://shop/out/1", data=b"row", source=source)])
    storage.put([Put(uri="s3://shop/out/1", data=b"new", source=source)])
    assert s3.get_object(Bucket="shop", Key="out/1")["Body"].read() == b"new"
    assert calls == {"s3:PutObject": 3, "s3:HeadObject": 1}


@pytest.mark.parametrize("key", ["out/1", "out//1"])
def test_a_newer_version_replaces_a_file_and_an_older_one_is_refused_as_changed(
    s3: Any, storage: Any, key: str
) -> None:
    old = driving(s3)
    uri = f"s3://shop/{key}"
    storage.put([Put(uri=uri, data=b"old", source=old)])
    new = driving(s3, b"two")
    assert isinstance(storage.put([Put(uri=uri, data=b"new", source=new)])[0], Written)
    assert isinstance(storage.put([Put(uri=uri, data=b"old", source=old)])[0], ObjectChanged)
    assert s3.get_object(Bucket="shop", Key=key)["Body"].read() == b"new"


def test_a_source_that_is_gone_has_changed(s3: Any, storage: Any) -> None:
    source = driving(s3)
    s3.put_object(Bucket="shop", Key="out/1", Body=b"by hand")
    s3.delete_object(Bucket="shop", Key="in/1.json")
    assert isinstance(storage.put([Put(uri="s3://shop/out/1", data=b"", source=source)])[0], ObjectChanged)


def test_a_file_that_is_deleted_after_it_refused_a_put_is_written_anew(
    s3: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = driving(s3)
    s3.put_object(Bucket="shop", Key="out/1", Body=b"by hand")
    head = storage._s3.head

    def vanishing(uri: str) -> Any:
        s3.delete_object(Bucket="shop", Key="out/1")
        return head(uri)

    monkeypatch.setattr(storage._s3, "head", vanishing)
    (answer,) = storage.put([Put(uri="s3://shop/out/1", data=b"row", source=source)])
    assert isinstance(answer, Written)
    assert s3.get_object(Bucket="shop", Key="out/1")["Body"].read() == b"row"


def test_a_race_that_is_lost_three_times_is_worth_another_try(
    s3: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = driving(s3)
    storage.put([Put(uri="s3://shop/out/1", data=b"", source=source)])
    head = storage._s3.head

    def overtaken(uri: str) -> Any:
        seen = head(uri)
        s3.put_object(Bucket="shop", Key="out/1", Body=str(time.perf_counter()).encode())
        return seen

    monkeypatch.setattr(storage._s3, "head", overtaken)
    (answer,) = storage.put([Put(uri="s3://shop/out/1", data=b"late", source=source)])
    assert type(answer) is TryAgain


def test_local_folders_answer_like_a_bucket(
    tmp_path: Path, storage: Any, monkeypatch: pytest.MonkeyPatch, calls: Counter[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    uris = ["./in/b c.json", "in/a%41.json", "in/deep/ñ.json"]
    written = storage.put([Put(uri=uri, data=b"x") for uri in uris])
    assert [w.uri for w in written] == ["in/b c.json", "in/a%41.json", "in/deep/ñ.json"]
    assert [i.uri for i in storage.list("./in/")] == ["in/a%41.json", "in/b c.json", "in/deep/ñ.json"]
    assert [i.uri for i in storage.list("in/d")] == ["in/deep/ñ.json"]
    assert [*storage.list("in/z")] == []
    with pytest.raises(GiveUp, match="no folder `nowhere`"):  # as a bucket that is not there
        [*storage.list("nowhere/")]
    stored, folder, missing = storage.get(["./in/b c.json", "in", "in/none"])
    assert isinstance(stored, StoredObject)
    assert stored.item == next(i for i in storage.list("in/b"))
    assert isinstance(folder, Missing)
    assert isinstance(missing, Missing)
    assert storage.remove([Item(uri=uri) for uri in ("in/none", *uris)]) == [None] * 4
    assert [*storage.list("in/")] == []
    assert not calls


def test_a_local_file_is_replaced_whole(tmp_path: Path, storage: Any) -> None:
    uri = str(tmp_path / "f")
    for data in (b"long long", b"short"):
        storage.put([Put(uri=uri, data=data)])
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert next(storage.get([uri])).data == b"short"


def test_a_local_name_too_long_or_a_lone_surrogate_is_missing(tmp_path: Path, storage: Any) -> None:
    assert isinstance(next(storage.get([f"{tmp_path}/{'k' * 300}"])), Missing)
    assert isinstance(next(storage.get([f"{tmp_path}/\ud800"])), Missing)


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers every request with the server's script, or cuts the body."""

    def do_GET(self) -> None:
        status, body, length = cast("Any", self.server).script
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.send_header("ETag", '"e"')
        self.send_header("Last-Modified", "Wed, 01 Jul 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_PUT = do_GET  # noqa: N815 -- the name that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def scripted(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("PLAIT_BACKOFF", "0.01")
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("key", ["usual", "odd//key"])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", GiveUp),
        (403, "InvalidAccessKeyId", GiveUp),
        (400, "ExpiredToken", TryAgain),
        (301, "PermanentRedirect", GiveUp),
        pytest.param(503, "SlowDown", TryAgain, marks=pytest.mark.fault("P1")),
        (500, "InternalError", TryAgain),
    ],
)
def test_the_code_that_s3_answers_decides_what_an_error_means(
    scripted: Any, storage: Any, key: str, status: int, code: str, kind: Any
) -> None:
    scripted.script = status, f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode(), None
    (answer,) = storage.get([f"s3://shop/{key}"])
    (written,) = storage.put([Put(uri=f"s3://shop/{key}", data=b"x")])
    assert (type(answer), type(written)) == (kind, kind)
    assert code in answer.message


@pytest.mark.fault("J2")
@pytest.mark.parametrize("key", ["usual", "odd//key"])
def test_a_body_that_is_cut_is_worth_another_try(scripted: Any, storage: Any, key: str) -> None:
    scripted.script = 200, b"half", 8
    (answer,) = storage.get([f"s3://shop/{key}"])
    assert type(answer) is TryAgain


@pytest.mark.fault("J3")
@pytest.mark.parametrize("key", ["usual", "odd//key"])
def test_an_object_above_the_limit_is_not_downloaded(scripted: Any, storage: Any, key: str) -> None:
    """Size and ETag come before the bytes, so the answer is there although a terabyte never comes."""
    scripted.script = 200, b"begin", 10**12
    (stored,) = storage.get([f"s3://shop/{key}"], limit=10**9)
    assert (stored.item.size, stored.item.etag, stored.data) == (10**12, "e", b"")
    scripted.script = 200, b"fits", None
    (stored,) = storage.get([f"s3://shop/{key}"], limit=4)
    assert (stored.item.size, stored.data) == (4, b"fits")


def test_credentials_are_found_as_boto3_finds_them(
    s3: Any, storage: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    s3.put_object(Bucket="shop", Key="a", Body=b"x")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert "no AWS credentials" in next(storage.get(["s3://shop/a"])).message
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id=k\naws_secret_access_key=s\n")
    assert next(storage.get(["s3://shop/a"])).data == b"x"


def test_importing_storage_costs_no_sdk() -> None:
    code = "import sys, plait.storage.objects, plait.engine.context; print(not {'boto3', 'botocore', 'obstore'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


@pytest.mark.parametrize("place", ["s3://shop/in/a.json", f"s3://shop/{ODD[0]}", "in/a.json"])
def test_an_object_is_removed_only_while_it_is_the_version_that_was_seen(
    s3: Any, storage: Any, calls: Counter[str], place: str, tmp_path: Path
) -> None:
    """A newer version stays and the answer is ObjectChanged; removing what is not there succeeds."""
    on_s3 = place.startswith("s3:")
    uri, newer = (place, b"two") if on_s3 else (f"{tmp_path}/{place}", b"other")
    storage.put([Put(uri=uri, data=b"one")])
    [seen] = storage.get([uri])
    storage.put([Put(uri=uri, data=newer)])
    [answer] = storage.remove([seen.item])
    assert isinstance(answer, ObjectChanged)
    [now] = storage.get([uri])
    assert now.data == newer
    assert storage.remove([now.item]) == [None]
    assert storage.remove([now.item, Item(uri=f"{uri}.none", etag="x")]) == [None, None]
    assert [*storage.get([uri])] == [Missing(uri)]
    assert calls["s3:DeleteObject"] == (4 if on_s3 else 0)
