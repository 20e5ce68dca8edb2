"""The proxy counts, names and breaks what passes between plait and its stand-ins."""

import http.client
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import obstore
import pymysql
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from obstore.store import S3Store

from kit.network import faults
from kit.network.operations import operation
from kit.network.proxy import Proxy, delay, drop, fail, kill
from kit.servers.mysql_counts import Counts, counts
from kit.servers.stand_ins import log_in
from kit.tables import table
from plait_sandbox.aws import LocalAws
from plait_sandbox.mysql import LocalMysql

BUCKET = "proxied"
REQUESTS = table("requests.yaml")
KEYS: Any = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-west-1"}


@pytest.fixture(scope="module")
def moto(aws: LocalAws) -> str:
    where: Any = {"LocationConstraint": "eu-west-1"}
    boto3.client("s3", endpoint_url=aws.endpoint, **KEYS).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration=where
    )
    return aws.endpoint


@pytest.fixture
def proxy(moto: str) -> Iterator[Proxy]:
    with Proxy(moto) as proxy:
        yield proxy


def _client(proxy: Proxy, service: Any, attempts: int = 1) -> Any:
    retries: Any = {"total_max_attempts": attempts, "mode": "standard"}
    config = Config(retries=retries, s3={"addressing_style": "path"})
    return boto3.client(service, endpoint_url=proxy.endpoint, config=config, **KEYS)


def _store(proxy: Proxy) -> S3Store:
    return S3Store(
        BUCKET,
        endpoint=proxy.endpoint,
        access_key_id="test",
        secret_access_key="test",
        region="eu-west-1",
        client_options={"allow_http": True},
    )


def test_both_clients_of_s3_pass_and_are_named(proxy: Proxy) -> None:
    """Objects go through unchanged, and each request is counted under its operation's name."""
    store, client = _store(proxy), _client(proxy, "s3")
    obstore.put(store, "a/1.json", b"one")
    client.put_object(Bucket=BUCKET, Key="a/2.json", Body=b"two")
    assert bytes(obstore.get(store, "a/2.json").bytes()) == b"two"
    assert client.get_object(Bucket=BUCKET, Key="a/1.json")["Body"].read() == b"one"
    assert client.head_object(Bucket=BUCKET, Key="a/1.json")["ContentLength"] == 3
    assert obstore.head(store, "a/1.json")["size"] == 3
    assert len(list(obstore.list(store, "a/").collect())) == 2
    client.delete_object(Bucket=BUCKET, Key="a/2.json")
    assert proxy.calls == {
        "s3:PutObject": 2,
        "s3:GetObject": 2,
        "s3:HeadObject": 2,
        "s3:ListObjectsV2": 1,
        "s3:DeleteObject": 1,
    }
    assert [request.number for request in proxy.log] == list(range(1, 9))
    assert {request.status for request in proxy.log} <= {200, 204}


@pytest.mark.parametrize(("name", "method"), REQUESTS["calls"].items())
def test_services_are_named_as_in_policies(proxy: Proxy, name: str, method: str) -> None:
    """Whatever protocol a service speaks, its request is named as IAM names it."""
    getattr(_client(proxy, name.partition(":")[0]), method)()
    assert proxy.calls == {name: 1}


@pytest.mark.parametrize(("name", "parts"), REQUESTS["unsigned"].items(), ids=REQUESTS["unsigned"])
def test_requests_without_a_signature_are_named_too(name: str, parts: list[Any]) -> None:
    """The name needs no signature."""
    method, target, headers = parts
    assert operation(method, target, headers, b"") == name


def test_connections_are_kept(proxy: Proxy) -> None:
    """The client sees one connection that stays open, and answers without a word to close."""
    client = _client(proxy, "s3")
    answers = [client.list_objects_v2(Bucket=BUCKET) for _ in range(3)]
    assert all("connection" not in a["ResponseMetadata"]["HTTPHeaders"] for a in answers)
    assert len(proxy._server.open) == 1


def test_a_failure_before_hides_the_request_from_the_upstream(proxy: Proxy) -> None:
    """The second request fails unseen by the upstream; the client's own retry then succeeds."""
    client = _client(proxy, "s3", attempts=2)
    proxy.on(2, "before", fail(503, b"<Error><Code>SlowDown</Code></Error>"))
    client.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    client.put_object(Bucket=BUCKET, Key="k", Body=b"2")
    assert [request.status for request in proxy.log] == [200, 503, 200]


def test_a_failure_after_lets_the_upstream_do_its_work(proxy: Proxy) -> None:
    """The client is told of a failure although the object was written."""
    client = _client(proxy, "s3")
    proxy.on(1, "after", fail(500))
    with pytest.raises(ClientError):
        client.put_object(Bucket=BUCKET, Key="lost", Body=b"there")
    assert client.get_object(Bucket=BUCKET, Key="lost")["Body"].read() == b"there"


def test_a_lost_answer_is_asked_for_again(proxy: Proxy) -> None:
    """A dropped connection leaves a request without status; the client connects anew."""
    client = _client(proxy, "s3", attempts=2)
    proxy.on(1, "after", drop())
    client.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    assert [request.status for request in proxy.log] == [None, 200]


def test_faults_of_one_operation_may_last(proxy: Proxy) -> None:
    """A fault for ever meets each later request of its operation and no other, until the reset."""
    client = _client(proxy, "s3")
    client.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    proxy.on(2, "before", fail(403), operation="s3:GetObject", forever=True)
    client.get_object(Bucket=BUCKET, Key="k")
    client.head_object(Bucket=BUCKET, Key="k")
    for _ in range(2):
        with pytest.raises(ClientError):
            client.get_object(Bucket=BUCKET, Key="k")
    proxy.reset()
    client.get_object(Bucket=BUCKET, Key="k")
    assert proxy.calls == {"s3:GetObject": 1}


def test_an_answer_may_be_late(proxy: Proxy) -> None:
    """A delayed request is answered as usual, later."""
    proxy.on(1, "before", delay(0.2))
    start = time.monotonic()
    _client(proxy, "s3").list_buckets()
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize(
    ("service", "method", "code", "status"),
    [
        ("s3", "list_buckets", "SlowDown", 503),
        ("dynamodb", "list_tables", "ProvisionedThroughputExceededException", 400),
        ("logs", "describe_log_groups", "ThrottlingException", 400),
        ("secretsmanager", "list_secrets", "ThrottlingException", 400),
    ],
)
def test_each_service_refuses_in_its_own_words(
    proxy: Proxy, service: str, method: str, code: str, status: int
) -> None:
    """Throttled, denied, or broken: the client of each service reads the code that the service would give."""
    seen = []
    for number, action in enumerate((faults.throttled(service), faults.denied(service)), 1):
        proxy.on(number, "before", action)
        with pytest.raises(ClientError) as caught:
            getattr(_client(proxy, service), method)()
        answer: Any = caught.value.response
        seen.append((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]))
    assert seen[0] == (code, status)
    assert seen[1][0].startswith("AccessDenied")
    for number, word in ((500, "Internal"), (503, "Unavailable")):
        proxy.reset()
        proxy.on(1, "before", faults.broken(service, number))
        with pytest.raises(ClientError, match=word):
            getattr(_client(proxy, service), method)()


def test_an_answer_that_is_cut_promised_more(proxy: Proxy) -> None:
    """Half of the body comes, and the length of all of it."""
    client = _client(proxy, "s3")
    client.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")
    proxy.reset()
    proxy.on(1, "after", faults.short(), forever=True)
    with pytest.raises(ResponseStreamingError):
        client.get_object(Bucket=BUCKET, Key="k")["Body"].read()
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "k"})
    with pytest.raises(http.client.IncompleteRead) as caught:
        urllib.request.urlopen(url).read()
    assert caught.value.partial == b"01234"


@pytest.mark.parametrize(
    ("when", "action", "error"),
    [
        ("before", faults.stall(), ReadTimeoutError),
        ("before", faults.reset(), ConnectionClosedError),
        ("after", faults.reset(), ConnectionClosedError),
        ("after", faults.noise(), ConnectionClosedError),
    ],
)
def test_a_connection_may_be_silent_reset_or_speak_something_else(
    proxy: Proxy, when: Any, action: Any, error: type[Exception]
) -> None:
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=0.3)
    client = boto3.client("sqs", endpoint_url=proxy.endpoint, config=config, **KEYS)
    proxy.on(1, when, action)
    with pytest.raises(error):
        client.list_queues()
    client.list_queues()
    assert [request.operation for request in proxy.log] == ["sqs:ListQueues"] * 2
    assert proxy.log[1].status == 200


def test_an_answer_may_be_no_answer_of_the_service(proxy: Proxy) -> None:
    """Status 200, and nothing in it that the service would say; boto3 takes a page of HTML for an empty answer."""
    proxy.on(1, "before", faults.portal())
    proxy.on(2, "before", faults.garbage())
    assert "TableNames" not in _client(proxy, "dynamodb").list_tables()
    with pytest.raises(UnicodeDecodeError):
        _client(proxy, "dynamodb").list_tables()


def test_a_fault_may_concern_some_paths_alone(proxy: Proxy) -> None:
    """Requests for other objects pass and do not count; those that came before the fault was set do."""
    client = _client(proxy, "s3")
    for key in ("one/a", "two/a"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    proxy.on(3, "before", fail(403), path="/one/")
    for key in ("one/a", "two/a"):
        client.head_object(Bucket=BUCKET, Key=key)
    with pytest.raises(ClientError):
        client.head_object(Bucket=BUCKET, Key="one/a")


def test_a_service_may_have_an_upstream_of_its_own(moto: str, proxy: Proxy) -> None:
    """Requests of a routed service go elsewhere, over the same connection of the client, and are counted alike."""
    with Proxy(moto, {"sqs": proxy.endpoint}) as router:
        _client(router, "sqs").list_queues()
        _client(router, "s3").list_buckets()
        assert router.calls == {"sqs:ListQueues": 1, "s3:ListBuckets": 1}
    assert proxy.calls == {"sqs:ListQueues": 1}


@pytest.mark.parametrize(("when", "written"), [("before", False), ("after", True)])
def test_the_client_can_be_killed_around_a_write(proxy: Proxy, when: Any, written: bool) -> None:
    """Killed before forwarding the object is not written, killed after it is; the client never learns."""
    script = (
        "import obstore,sys;from obstore.store import S3Store;"
        "s=S3Store('proxied',endpoint=sys.argv[1],access_key_id='t',secret_access_key='t',region='eu-west-1',"
        "client_options={'allow_http':True});obstore.put(s,sys.argv[2],b'x');print('told')"
    )
    children: list[subprocess.Popen[bytes]] = []
    proxy.on(1, when, kill(lambda: children[0].pid))
    command = [sys.executable, "-P", "-c", script, proxy.endpoint, f"killed-{when}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        children.append(child)
        out, _ = child.communicate(timeout=60)
    assert (child.returncode, out) == (-signal.SIGKILL, b"")
    keys = {o["Key"] for o in _client(proxy, "s3").list_objects_v2(Bucket=BUCKET).get("Contents", ())}
    assert (f"killed-{when}" in keys) is written


def test_mariadb_counts_another_user(mysql: LocalMysql) -> None:
    """Connections, selects and rows of other users are counted, the asking user's own are not."""
    with log_in(mysql) as admin:
        admin.cursor().execute("CREATE OR REPLACE USER counted@'127.0.0.1'")
        before = counts(admin)
        with pymysql.connect(host=mysql.host, port=mysql.port, user="counted") as counted:
            counted.cursor().execute("SELECT 1 UNION SELECT 2")
        assert counts(admin) - before == Counts(connections=1, selects=1, rows_sent=2)
        assert counts(admin, "counted") - before == Counts(connections=1, selects=1, rows_sent=2)
