"""The sandbox: a shop on one machine, whose servers are filled, announce orders, and end with their process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from plait_sandbox import Sandbox, generate, sample, start_sandbox
from plait_sandbox.aws import start_aws
from plait_sandbox.contents import MysqlTable
from plait_sandbox.mysql import start_mysql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plait_sandbox.mysql import LocalMysql


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with start_sandbox("mariadb") as sandbox:
        sandbox.fill(sample())
        yield sandbox


@pytest.fixture(params=["mariadb", "mysql-mimic"], scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[LocalMysql]:
    with start_mysql(request.param) as server:
        yield server


def read(secret: dict[str, Any], sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    connection = pymysql.connect(
        host=secret["host"],
        port=secret["port"],
        user=secret["username"],
        password=secret["password"],
        database=secret["dbname"],
        charset="utf8mb4",
        ssl_disabled=True,
    )
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def put_stores(server: LocalMysql, *stores: tuple[int, str | None, str | None]) -> dict[str, Any]:
    """Replace the table of stores; the secret of its reader."""
    columns = {"store_id": "BIGINT", "name": "VARCHAR(100)", "city": "VARCHAR(100)"}
    rows = [dict(zip(columns, store, strict=True)) for store in stores]
    server.put_table("stores", "stores", MysqlTable(columns, rows, key="store_id"))
    return server.reader_secret("stores")


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def keys_of(messages: list[dict[str, Any]]) -> list[str]:
    return [json.loads(message["Body"])["detail"]["object"]["key"] for message in messages]


def test_importing_the_sandbox_loads_no_sdk() -> None:
    heavy = "{'boto3', 'botocore', 'moto', 'pymysql', 'flask', 'mysql_mimic'}"
    code = f"import sys, plait_sandbox; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_object_arrives_and_each_below_transactions_is_announced_once(shop: Sandbox) -> None:
    objects, odd = sample().objects, sample().quirks["odd_key"][0]
    pages = shop.client("s3").get_paginator("list_objects_v2").paginate(Bucket="shop-raw")
    assert {entry["Key"] for page in pages for entry in page["Contents"]} == set(objects)
    assert shop.client("s3").get_object(Bucket="shop-raw", Key=odd)["Body"].read() == objects[odd]
    messages = shop.receive(1000)
    assert sorted(keys_of(messages)) == sorted(key for key in objects if key.startswith("transactions/"))
    shop.delete(messages)
    waiting = shop.client("sqs").get_queue_attributes(QueueUrl=shop.queue_url, AttributeNames=["All"])
    assert int(waiting["Attributes"]["ApproximateNumberOfMessagesNotVisible"]) == 0


def test_a_quiet_fill_announces_nothing() -> None:
    with start_sandbox("mysql-mimic") as shop:
        shop.fill(generate(60, 2), announce=False)
        assert shop.receive(10) == []
        shop.client("s3").put_object(Bucket="shop-raw", Key="transactions/late.json", Body=b"{}")
        assert keys_of(shop.receive(10)) == ["transactions/late.json"]


@pytest.mark.shows_canaries("the process prints the secret, to compare it")
def test_the_environment_leads_a_process_to_the_table_the_log_and_the_secret(shop: Sandbox) -> None:
    code = """
import boto3, json
logs = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName="/shop/tx-fraud-score")
secret = boto3.client("secretsmanager").get_secret_value(SecretId="shop/stores-db")["SecretString"]
table = boto3.resource("dynamodb").Table("customer-activity").scan()["Items"]
events = [(e["timestamp"], e["message"]) for page in logs for e in page["events"]]
print(json.dumps([events, json.loads(secret), [item["last_seen"] for item in table]]))
"""
    environment = {**os.environ, **shop.environment()}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, check=True, env=environment
    )
    events, secret, seen = json.loads(done.stdout)
    shop_sample = sample()
    assert sorted(tuple(event) for event in events) == shop_sample.logs
    assert sorted(seen) == sorted(str(item["last_seen"]) for item in shop_sample.activity)
    rows = read(secret, "SELECT store_id, name, city FROM stores.stores ORDER BY store_id")
    assert rows == [tuple(row) for row in shop_sample.stores]


@pytest.mark.parametrize("server", ["mariadb"], indirect=True)
def test_the_reader_of_the_stores_may_not_write(server: LocalMysql) -> None:
    secret = put_stores(server, (1, "Corner", None))
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        read(secret, "DELETE FROM stores.stores")


def test_both_servers_answer_a_lookup_the_same(server: LocalMysql) -> None:
    secret = put_stores(server, (1, "Señor 🛒", None), (2, None, "東京"), (3, "Kiosk", "Łódź"))
    sql = "SELECT `name`, `city`, `store_id` FROM `stores`.`stores` WHERE `store_id` IN (%s, %s, %s)"
    rows = read(secret, sql, (2, 1, 9))
    assert sorted(rows, key=lambda row: row[2]) == [("Señor 🛒", None, 1), (None, "東京", 2)]


def test_both_servers_refuse_a_wrong_password(server: LocalMysql) -> None:
    secret = put_stores(server)
    with pytest.raises(pymysql.err.OperationalError):
        read({**secret, "password": "wrong"}, "SELECT 1")


def test_stores_are_replaced_as_a_whole(server: LocalMysql) -> None:
    put_stores(server, *((n, "old", None) for n in range(500)))
    secret = put_stores(server, (7, "new", None))
    assert read(secret, "SELECT store_id, name FROM stores.stores") == [(7, "new")]


def test_a_stopped_server_listens_no_more_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with start_mysql("mariadb") as mysql, start_aws() as aws:
        ports = [mysql.port, int(aws.endpoint.rpartition(":")[2])]
        assert all(map(listens, ports))
    assert not any(map(listens, ports))
    assert list(tmp_path.iterdir()) == []


def test_mysql_mimic_stops_silently_while_clients_are_connected() -> None:
    """One client has logged in and waits, another has not yet answered the greeting."""
    code = """
import socket, pymysql
from plait_sandbox.mysql import start_mysql
with start_mysql("mysql-mimic") as server:
    client = pymysql.connect(host=server.host, port=server.port, user=server.user, password=server.password)
    greeted = socket.create_connection((server.host, server.port))
    greeted.recv(1)
print(client.open)
client._force_close()
greeted.close()
"""
    command = [sys.executable, "-P", "-X", "dev", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_the_servers_and_their_files_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    code = """
import time
from plait_sandbox import start_sandbox
with start_sandbox() as sandbox:
    print(sandbox.mysql.port, sandbox.aws.endpoint.rpartition(":")[2], flush=True)
    time.sleep(600)
"""
    command, environment = [sys.executable, "-P", "-c", code], {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        ports = [int(port) for port in parent.stdout.readline().split()]
        assert all(map(listens, ports))
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (any(map(listens, ports)) or any(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(listens, ports))
    assert list(tmp_path.iterdir()) == []
