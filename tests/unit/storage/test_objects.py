"""Objects on a real S3 endpoint: every key, every version of what drives a row, every race."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kit.network.faults import fail
from kit.network.proxy import Proxy
from plait.plugin import GiveUp, Item, Missing, ObjectChanged, Put, TryAgain, Written
from plait.storage.objects import ReadAhead, Storage

if TYPE_CHECKING:
    from plait_sandbox.aws import LocalAws

ODD = ["a//b", "a/../b", "./a", "/first", "last/", "tab\tkey"]
USUAL = ["a b+c ñ 日本 %41.json", "x%2Fy", "q?x#y", "a*b", "a\\b", "a&b=c:;,@!$()'\""]


def driving(s3: Any, body: bytes = b"one") -> Item:
    """The object that drives a row, in a version of its own."""
    stored = s3.put_object(Bucket="shop", Key="in/1.json", Body=body)
    return Item(uri="s3://shop/in/1.json", etag=stored["ETag"].strip('"'))


def put(storage: Any, data: bytes, source: Item, key: str = "out/1") -> Any:
    """The answer to a row that is put in the place of its source."""
    (answer,) = storage.put([Put(uri=f"s3://shop/{key}", data=data, source=source)])
    return answer


def body(s3: Any, key: str = "out/1") -> Any:
    return s3.get_object(Bucket="shop", Key=key)["Body"].read()


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
    assert type(next(storage.get(["s3://shop/a"]))) is TryAgain


@pytest.mark.parametrize("name", ["s3://shop/" + "k" * 1100, "k" * 300, "\ud800"])
def test_a_name_that_no_object_can_have_is_missing(
    s3: Any, storage: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(next(storage.get([name])), Missing)


def test_the_common_case_is_one_put(s3: Any, storage: Any, calls: Counter[str]) -> None:
    source = driving(s3)
    put(storage, b"the first of the process", source, "out/0")
    calls.clear()
    assert put(storage, b"row", source).bytes == 3
    assert calls == {"s3:PutObject": 1}
    assert s3.head_object(Bucket="shop", Key="out/1")["Metadata"] == {"plait-source-etag": source.etag}


def test_the_same_version_delivered_again_replaces_its_file(
    s3: Any, storage: Any, calls: Counter[str]
) -> None:
    source = driving(s3)
    put(storage, b"row", source)
    put(storage, b"new", source)
    calls.clear()
    put(storage, b"newest", source)
    assert body(s3) == b"newest"
    assert calls == {"s3:PutObject": 2, "s3:HeadObject": 1}


@pytest.mark.parametrize("key", ["out/1", "out//1"])
def test_a_newer_version_replaces_a_file_and_an_older_one_is_refused_as_changed(
    s3: Any, storage: Any, key: str
) -> None:
    old = driving(s3)
    put(storage, b"old", old, key)
    new = driving(s3, b"two")
    assert isinstance(put(storage, b"new", new, key), Written)
    assert isinstance(put(storage, b"old", old, key), ObjectChanged)
    assert body(s3, key) == b"new"


@pytest.mark.parametrize("key", ["out/1", "out//1"])
def test_a_newer_version_removes_a_file_and_an_older_one_is_refused_as_changed(
    s3: Any, storage: Any, calls: Counter[str], key: str
) -> None:
    """What is not there need not go; nothing is put before it is removed."""
    old = driving(s3)

    def remove(source: Item) -> Any:
        return storage.put([Put(uri=f"s3://shop/{key}", data=b"", removes=True, source=source)])[0]

    assert isinstance(remove(old), Written)
    put(storage, b"old", old, key)
    assert isinstance(remove(old), Written)
    put(storage, b"old", old, key)
    new = driving(s3, b"two")
    assert isinstance(put(storage, b"new", new, key), Written)
    assert isinstance(remove(old), ObjectChanged)
    assert body(s3, key) == b"new"
    calls.clear()
    assert isinstance(remove(new), Written)
    assert calls == {"s3:HeadObject": 1, "s3:DeleteObject": 1}
    assert s3.list_objects_v2(Bucket="shop", Prefix="out/").get("Contents", []) == []


def test_a_source_that_is_gone_has_changed(s3: Any, storage: Any) -> None:
    source = driving(s3)
    s3.put_object(Bucket="shop", Key="out/1", Body=b"by hand")
    s3.delete_object(Bucket="shop", Key="in/1.json")
    assert isinstance(put(storage, b"", source), ObjectChanged)


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
    assert isinstance(put(storage, b"row", source), Written)
    assert body(s3) == b"row"


def test_a_race_that_is_lost_three_times_is_worth_another_try(
    s3: Any, storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = driving(s3)
    put(storage, b"", source)
    head = storage._s3.head

    def overtaken(uri: str) -> Any:
        seen = head(uri)
        s3.put_object(Bucket="shop", Key="out/1", Body=str(time.perf_counter()).encode())
        return seen

    monkeypatch.setattr(storage._s3, "head", overtaken)
    assert type(put(storage, b"late", source)) is TryAgain


@pytest.mark.parametrize(
    ("ignored", "status"), [("if-none-match", 200), ("if-match", 200), ("", 501)], ids=str
)
def test_a_store_that_ignores_conditions_is_refused_at_the_first_put_and_written_no_more(
    s3: Any,
    storage: Any,
    calls: Counter[str],
    aws: LocalAws,
    monkeypatch: pytest.MonkeyPatch,
    ignored: str,
    status: int,
) -> None:
    """The first file is put twice, with the same bytes; each later one is refused without a request."""
    source = driving(s3)
    if ignored == "if-match":
        put(storage, b"old", source)
    with Proxy(aws.endpoint, without=[ignored] if ignored else []) as proxy:
        if status == 501:
            refusal = b"<Error><Code>NotImplemented</Code><Message>A header</Message></Error>"
            proxy.on(1, "before", fail(501, refusal), operation="s3:PutObject", forever=True)
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        other = Storage(lambda _operation, _n: None)
        keys = ["out/1", "out/2", "out//3"] if ignored != "if-match" else ["out/1", "out/1"]
        answers = [put(other, b"row", source, key) for key in keys]
        assert {(type(answer), answer.code) for answer in answers} == {(GiveUp, "no-conditional-writes")}
        if status == 200:
            assert proxy.calls["s3:PutObject"] == (2 if ignored == "if-none-match" else 4)
            assert body(s3) == b"row"
        plain = Storage(lambda _operation, _n: None, is_conditional=False)
        assert status == 501 or isinstance(put(plain, b"plain", source), Written)


@pytest.mark.parametrize("key", ["out/1", "out//1"])
def test_where_an_endpoint_is_set_each_condition_is_proven_by_one_put_of_the_process(
    s3: Any, storage: Any, calls: Counter[str], key: str
) -> None:
    """The first creation and the first replacement are sent once more; what is there refuses to be created, which proves it too."""
    source = driving(s3)
    storage.put([Put(uri=f"s3://shop/{key}-{n}", data=b"row", source=source) for n in range(100)])
    assert calls["s3:PutObject"] == 101
    for n in range(3):
        put(storage, b"new", source, f"{key}-{n}")
    assert calls["s3:PutObject"] == 101 + 6 + 1
    assert body(s3, f"{key}-0") == b"new"
    again: Counter[str] = Counter()
    other = Storage(lambda operation, n: again.update({operation: n}))
    put(other, b"again", source, f"{key}-0")
    put(other, b"again", source, f"{key}-x")
    assert again["s3:PutObject"] == 1 + 2 + 1


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


@pytest.mark.fault("J3")
def test_objects_read_ahead_of_their_turn_take_a_room_of_bytes_and_each_comes_whole(tmp_path: Path) -> None:
    """What does not fit is asked for again when its turn comes; small objects never are."""
    sizes = [3, 900, 5, 700, 800, 2] + 100 * [1]
    uris = [str(tmp_path / str(number)) for number in range(len(sizes))]
    for uri, size in zip(uris, sizes, strict=True):
        Path(uri).write_bytes(b"x" * size)
    storage = Storage(lambda _operation, _n: None, room=1000)
    assert [len(answer.data) for answer in storage.get(uris)] == sizes  # type: ignore[union-attr]
    ahead = ReadAhead(1000)
    assert [ahead.takes(0, 900), ahead.takes(1, 200), ahead.takes(2, 100)] == [True, False, True]
    ahead.pass_on(0)
    assert (ahead.takes(1, 200), ahead.postponed, ahead.at_once()) == (True, set(), 2)
