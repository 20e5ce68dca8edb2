"""No spec chooses a host but that of `mysql`, which is no URL and no metadata service: nothing is asked offline, AWS alone at run time, and a secret names no metadata service."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.faults.offline import offline
from kit.mutants.mutation import replaced
from kit.network.tcp import serving
from kit.stubs import Stub
from kit.tables import table
from plait.engine.context import Services
from plait.plugin import GiveUp, Key, Lookup, Pattern, TryAgain
from plait_connectors.cloudwatch_logs import CloudWatchLogsLookup, CloudWatchLogsOptions
from plait_connectors.dynamodb import DynamoDBLookup, DynamoDBOptions
from plait_connectors.mysql import MySQLLookup, MySQLOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.fault("S9")
EVIL = "http://169.254.169.254/latest/meta-data/"
TABLE = table(Path(__file__).with_name("hosts.yaml"))


def spec(place: str, value: Any) -> str:
    """The spec with one value at a place, as JSON, which is YAML too."""
    return json.dumps(replaced(TABLE["spec"], tuple(place.strip("/").split("/")), value), indent=1)


def problems_of(folder: Path, texts: list[str]) -> list[Any]:
    """What `validate` finds wrong with these texts, in files with their numbers; it asks nothing and loads no client."""
    files = [folder / f"{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    ended = offline(folder, ["validate", "-o", "json", *(file.name for file in files)])
    assert (ended["noted"], ended["loaded"]) == ([], [])
    return list(json.loads(ended["ended"][0]["stdout"])["problems"])


def test_a_key_that_names_a_host_is_unknown_wherever_it_stands_and_nothing_is_asked(tmp_path: Path) -> None:
    texts = [spec(f"{block}/{key}", EVIL) for block in TABLE["blocks"] for key in TABLE["keys"]]
    problems = problems_of(tmp_path, texts)
    unknown = {problem["file"] for problem in problems if problem["code"] == "unknown-key"}
    wrong = {
        problem["file"]
        for problem in problems
        if problem["code"] in {"wrong-value", "wrong-kind", "bad-name"}
    }
    assert len(wrong - unknown) == 2  # `host` and `port` of mysql, which take no URL
    assert unknown | wrong == {f"{number}.yaml" for number in range(len(texts))}
    assert [problem for problem in problems if not problem["line"]] == []


def test_a_path_that_names_no_bucket_and_no_folder_is_refused_where_it_stands(tmp_path: Path) -> None:
    places = ("sources/orders/path", "sources/items/path", "sink/path", "quarantine/path")
    paths = [*TABLE["paths"], *(f"s3://{bucket}/a" for bucket in TABLE["no_buckets"])]
    texts = [spec(place, path) for place in places for path in paths]
    refused = {problem["file"] for problem in problems_of(tmp_path, texts) if problem["code"] == "wrong-path"}
    assert refused == {f"{number}.yaml" for number in range(len(texts))}


@pytest.mark.fault("S6")
def test_what_needs_no_service_asks_none_whatever_the_texts_of_a_spec(tmp_path: Path) -> None:
    """A schema that a comment or a description names is never fetched, nor is a table, a secret or a bucket."""
    (tmp_path / "hostile.yaml").write_text(
        f"# yaml-language-server: $schema={EVIL}\n"
        + spec("description", EVIL).replace("shop/stores", EVIL).replace("s3://raw", "s3://127.0.0.1"),
        encoding="utf-8",
    )
    plain = [[verb, "hostile.yaml"] for verb in ("validate", "plan", "policy", "template")]
    against = ["plan", "hostile.yaml", "--against", "hostile.yaml"]
    watched = offline(tmp_path, *plain, against, ["schema"], ["connectors"], ["connectors", "mysql"])
    assert [(command["code"], command["stderr"]) for command in watched["ended"] if command["code"]] == []
    assert (watched["noted"], watched["loaded"]) == ([], [])
    schema = watched["ended"][-3]["stdout"]
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


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The hosts that AWS's clients ask for from now on; none answers."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    settings = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1", "PLAIT_BACKOFF": "0.0001", "PLAIT_TIMEOUT": "5"}  # fmt: skip
    hosts: set[str] = set()
    with serving(lambda connection: hosts.add(connection.recv(4096).split()[1].decode())) as port:
        proxy = f"http://127.0.0.1:{port}"
        for name, value in {**settings, "HTTPS_PROXY": proxy, "HTTP_PROXY": proxy}.items():
            monkeypatch.setenv(name, value)
        yield hosts


@pytest.mark.parametrize("bucket", [*TABLE["buckets"], *TABLE["no_buckets"]])
def test_whatever_a_bucket_is_called_s3_alone_is_asked(hosts: set[str], bucket: str) -> None:
    """What is no bucket's name, which no spec lets through, asks nothing."""
    objects = Services().objects
    assert isinstance(next(objects.get([f"s3://{bucket}/a.json"])), (GiveUp, TryAgain))
    with pytest.raises((GiveUp, TryAgain)):
        list(objects.list(f"s3://{bucket}/a"))
    assert {host for host in hosts if not host.endswith(".amazonaws.com:443")} == set()
    assert bool(hosts) == (bucket not in TABLE["no_buckets"])


@pytest.mark.parametrize("text", ["plain", EVIL, "//h.example/", "a@h.example", "h.example#", "127.0.0.1:99"])
def test_whatever_a_table_group_or_secret_is_called_its_service_alone_is_asked(
    hosts: set[str], text: str
) -> None:
    services, now = Services(), datetime(2026, 7, 1, tzinfo=UTC)
    lines = CloudWatchLogsOptions(log_group=text, pattern=Pattern.parse("order {id} *"))
    lookups: list[Lookup[Any]] = [
        MySQLLookup(MySQLOptions(secret=text, table="stores"), services.context("stores", None)),
        DynamoDBLookup(DynamoDBOptions(table=text), services.context("seen", None)),
        CloudWatchLogsLookup(lines, services.context("lines", None)),
    ]
    for lookup in lookups:
        with pytest.raises((GiveUp, TryAgain)):
            list(lookup.fetch([Key(fields={"id": "1"}, since=now, until=now)]))
    ours = {f"{service}.us-east-1.amazonaws.com:443" for service in ("secretsmanager", "dynamodb", "logs")}
    assert hosts <= ours
    assert text != "plain" or hosts == ours


def log_in(host: str, port: int = 3306, timeout: float = 0.2) -> None:
    """Look something up in the database that a secret names."""
    login = {"username": "reader", "password": "canary-secret-8f1d", "dbname": "shop"}
    context = Stub(secrets={"db": {"host": host, "port": port, **login}})
    context.seconds = timeout
    MySQLLookup(MySQLOptions(secret="db", table="stores"), context).fetch([Key(fields={"id": 1})])


@pytest.mark.parametrize("host", TABLE["metadata"])
def test_a_secret_whose_host_is_a_metadata_service_is_refused_in_any_spelling(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Before anything is resolved or opened."""
    opened: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *arguments, **_: opened.append(arguments))
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

    def listen(connection: socket.socket) -> None:
        while data := connection.recv(4096):
            heard.append(data)

    with serving(listen) as port, pytest.raises(TryAgain):
        log_in("localhost", port)
    assert heard == []
