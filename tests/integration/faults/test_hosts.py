"""No spec chooses a host: nothing is asked offline, AWS alone at run time, and a secret names no metadata service."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from integration.faults.offline import offline
from kit.mutation import replaced
from kit.stubs import Stub
from plait.engine.context import Services
from plait.plugin import GiveUp, Key, Lookup, Pattern, TryAgain
from plait_connectors.cloudwatch_logs import CloudWatchLogsLookup, CloudWatchLogsOptions
from plait_connectors.dynamodb import DynamoDBLookup, DynamoDBOptions
from plait_connectors.mysql import MySQLLookup, MySQLOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.fault("S9")
EVIL = "http://169.254.169.254/latest/meta-data/"
SPEC: dict[str, Any] = yaml.safe_load("""\
plait: 1
name: orders
parameters: {root: {default: "s3://raw"}}
sources:
  orders: {connector: json, path: "${root}/orders/*.json", columns: {id: string, at: timestamp}}
  items: {connector: csv, path: "${root}/items/{id}.csv", columns: {sku: string}, join: {"on": id, as: list}}
  stores: {connector: mysql, secret: shop/stores, table: stores, columns: {city: string}, join: {"on": id}}
  seen: {connector: dynamodb, table: seen, columns: {last: timestamp}, join: {"on": id}}
  lines:
    connector: cloudwatch_logs
    log_group: /shop/lines
    pattern: "order {id} scored {score}"
    window: {around: at, before: 1h, after: 1h}
    columns: {score: {type: int}}
    join: {"on": id, duplicates: latest}
sink: {connector: parquet, path: "s3://lake/orders/"}
quarantine: {path: "s3://lake/bad/"}
deploy: {memory: 512}
""")
BLOCKS: list[tuple[str, ...]] = [
    (), ("parameters", "root"), *(("sources", name) for name in SPEC["sources"]), ("sources", "stores", "join"),
    ("sources", "lines", "window"), ("sources", "lines", "columns", "score"), ("sink",), ("quarantine",), ("deploy",),
]  # fmt: skip
KEYS = [
    "endpoint", "endpoint_url", "url", "uri", "base_url", "host", "hostname", "port", "server", "proxy", "region",
    "$ref", "$schema", "$id", "include", "extends", "import", "schema",
]  # fmt: skip
PATHS = [
    "http://h/a/*.json",
    "https://h/a/*.json",
    "ftp://h/a",
    "file:///etc/*.json",
    "gs://h/a",
    "S3://h/a",
    "s3:/h/a",
]
NO_BUCKETS = [
    "127.0.0.1:99#",
    "h.example?",
    "a@h.example",
    "arn:aws:s3:us-east-1:1:accesspoint",
    "x y",
    "x%2f",
    "é",
]
BUCKETS = ["raw", "127.0.0.1", "a--use1-az4--x-s3", *NO_BUCKETS]


def spec(*path: str, value: Any) -> str:
    """The spec with one value at a place, as JSON, which is YAML too."""
    return json.dumps(replaced(SPEC, path, value), indent=1)


def test_a_key_that_names_a_host_is_unknown_wherever_it_stands_and_nothing_is_asked(tmp_path: Path) -> None:
    hostile = [(block, key) for block in BLOCKS for key in KEYS]
    for n, (block, key) in enumerate(hostile):
        (tmp_path / f"{n}.yaml").write_text(spec(*block, key, value=EVIL), encoding="utf-8")
    files = [f"{n}.yaml" for n in range(len(hostile))]
    told = offline(tmp_path, ["validate", "-o", "json", *files])
    assert (told["noted"], told["loaded"]) == ([], [])
    problems = json.loads(told["ended"][0]["stdout"])["problems"]
    assert {(p["file"], p["code"]) for p in problems} >= {(file, "unknown-key") for file in files}
    assert [p for p in problems if not p["line"]] == []


def test_a_path_that_names_no_bucket_and_no_folder_is_refused_where_it_stands(tmp_path: Path) -> None:
    places = [
        ("sources", "orders", "path"),
        ("sources", "items", "path"),
        ("sink", "path"),
        ("quarantine", "path"),
    ]
    paths = [*PATHS, *(f"s3://{bucket}/a" for bucket in NO_BUCKETS)]
    hostile = [(place, path) for place in places for path in paths]
    for n, (place, path) in enumerate(hostile):
        (tmp_path / f"{n}.yaml").write_text(spec(*place, value=path), encoding="utf-8")
    files = [f"{n}.yaml" for n in range(len(hostile))]
    told = offline(tmp_path, ["validate", "-o", "json", *files])
    assert (told["noted"], told["loaded"]) == ([], [])
    problems = json.loads(told["ended"][0]["stdout"])["problems"]
    assert {p["file"] for p in problems if p["code"] == "wrong-path"} == {*files}


@pytest.mark.fault("S6")
def test_what_needs_no_service_asks_none_whatever_the_texts_of_a_spec(tmp_path: Path) -> None:
    """A schema that a comment or a description names is never fetched, nor is a table, a secret or a bucket."""
    (tmp_path / "hostile.yaml").write_text(
        f"# yaml-language-server: $schema={EVIL}\n"
        + spec("description", value=EVIL).replace("shop/stores", EVIL).replace("s3://raw", "s3://127.0.0.1"),
        encoding="utf-8",
    )
    plain = [[verb, "hostile.yaml"] for verb in ("validate", "plan", "policy", "template")]
    against = ["plan", "hostile.yaml", "--against", "hostile.yaml"]
    told = offline(tmp_path, *plain, against, ["schema"], ["connectors"], ["connectors", "mysql"])
    assert [(one["code"], one["stderr"]) for one in told["ended"] if one["code"]] == []
    assert (told["noted"], told["loaded"]) == ([], [])
    schema = told["ended"][-3]["stdout"]
    assert [ref for ref in references(json.loads(schema)) if not ref.startswith("#/")] == []


def references(schema: Any) -> Iterator[str]:
    """Every `$ref` of a JSON Schema."""
    if isinstance(schema, dict):
        yield from (value for key, value in schema.items() if key == "$ref" and isinstance(value, str))
    for below in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from references(below)


def test_the_hook_would_see_a_socket_and_a_process(tmp_path: Path) -> None:
    tried = "import socket, subprocess; socket.getaddrinfo('127.0.0.1', 9); subprocess.run(['true'])"
    noted = offline(tmp_path, ["python", tried])["noted"]
    assert [line.partition(" ")[0] for line in noted] == ["socket.getaddrinfo", "subprocess.Popen"]


@contextmanager
def recorder() -> Iterator[tuple[str, set[str]]]:
    """A proxy that notes the hosts it is asked for and answers nothing."""
    hosts: set[str] = set()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    hosts.add(connection.recv(4096).split()[1].decode())

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", hosts
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The hosts that AWS's clients ask for from now on; none answers."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    settings = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1", "PLAIT_BACKOFF": "0.0001", "PLAIT_TIMEOUT": "5"}  # fmt: skip
    with recorder() as (proxy, found):
        for name, value in {**settings, "HTTPS_PROXY": proxy, "HTTP_PROXY": proxy}.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.mark.parametrize("bucket", BUCKETS)
def test_whatever_a_bucket_is_called_s3_alone_is_asked(hosts: set[str], bucket: str) -> None:
    """What is no bucket's name, which no spec lets through, asks nothing."""
    objects = Services().objects
    assert isinstance(next(objects.get([f"s3://{bucket}/a.json"])), (GiveUp, TryAgain))
    with pytest.raises((GiveUp, TryAgain)):
        list(objects.list(f"s3://{bucket}/a"))
    assert {host for host in hosts if not host.endswith(".amazonaws.com:443")} == set()
    assert bool(hosts) == (bucket not in NO_BUCKETS)


@pytest.mark.parametrize("text", ["plain", EVIL, "//h.example/", "a@h.example", "h.example#", "127.0.0.1:99"])
def test_whatever_a_table_group_or_secret_is_called_its_service_alone_is_asked(
    hosts: set[str], text: str
) -> None:
    services, now = Services(), datetime(2026, 7, 1, tzinfo=UTC)
    lines = CloudWatchLogsOptions(log_group=text, pattern=Pattern.parse("order {id} *"))
    asked: list[Lookup] = [
        MySQLLookup(MySQLOptions(secret=text, table="stores"), services.context("stores", None)),
        DynamoDBLookup(DynamoDBOptions(table=text), services.context("seen", None)),
        CloudWatchLogsLookup(lines, services.context("lines", None)),
    ]
    for lookup in asked:
        with pytest.raises((GiveUp, TryAgain)):
            list(lookup.fetch([Key(fields={"id": "1"}, since=now, until=now)]))
    ours = {f"{service}.us-east-1.amazonaws.com:443" for service in ("secretsmanager", "dynamodb", "logs")}
    assert hosts <= ours
    assert text != "plain" or hosts == ours


def log_in(host: str, port: int = 3306, timeout: float = 0.2) -> None:
    """Look something up in the database that a secret names."""
    login = {
        "host": host,
        "port": port,
        "username": "reader",
        "password": "canary-secret-8f1d",
        "dbname": "shop",
    }
    context = Stub(secrets={"db": login})
    context.seconds = timeout
    MySQLLookup(MySQLOptions(secret="db", table="stores"), context).fetch([Key(fields={"id": 1})])


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "169.254.170.2", "169.254.43518", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376",
     "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "169.254.169.254 "],
)  # fmt: skip
def test_a_secret_whose_host_is_a_metadata_service_is_refused_in_any_spelling(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Before anything is resolved or opened."""
    opened: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *told, **_: opened.append(told))
    with pytest.raises(GiveUp, match="the `host` of the secret `db` is the address of a metadata") as refused:
        log_in(host)
    assert refused.value.help == "set `host` to the address of the database"
    assert opened == []


@pytest.mark.parametrize("host", ["10.0.0.7", "db.h.example", "::1", "fd12::7"])
def test_any_other_host_is_only_tried(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    opened: list[Any] = []

    def refuse(address: Any, *_: Any, **__: Any) -> None:
        opened.append(address[0])
        raise OSError

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(TryAgain):
        log_in(host)
    assert {*opened} == {host}


def test_a_host_that_waits_to_be_spoken_to_hears_nothing() -> None:
    """So a name that leads to a service of the web, which answers questions only, is asked none."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(4096):
                    heard.append(data)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        with pytest.raises(TryAgain):
            log_in("localhost", server.getsockname()[1])
        server.close()
        thread.join(5)
    assert heard == []
