"""The shop on one machine, and the orders that fill it."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from plait_sandbox import Sandbox, generate, sample, write
from plait_sandbox.aws import start_aws
from plait_sandbox.mysql import serve_stores, start_mysql
from plait_sandbox.quirks import BROKEN, QUIRKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plait_sandbox import Sample
    from plait_sandbox.mysql import LocalMysql


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with Sandbox("mariadb") as sandbox:
        sandbox.fill(sample())
        yield sandbox


@pytest.fixture(params=["mariadb", "mysql-mimic"], scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMysql]:
    with start_mysql(tmp_path_factory.mktemp("server"), request.param) as server:
        yield server


def orders(shop_sample: Sample) -> list[str]:
    return [key for key in shop_sample.objects if fnmatchcase(key, "transactions/*.json")]


def order(shop_sample: Sample, key: str) -> Any:
    return json.loads(shop_sample.objects[key], parse_float=Decimal)


def items(shop_sample: Sample, key: str) -> list[dict[str, str]]:
    text = shop_sample.objects[f"items/{order(shop_sample, key)['transaction_id']}.csv"].decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


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


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def keys_of(messages: list[dict[str, Any]]) -> list[str]:
    return [json.loads(message["Body"])["detail"]["object"]["key"] for message in messages]


def test_a_seed_always_makes_the_same_sample() -> None:
    assert generate(200, 7) == generate(200, 7)
    assert generate(200, 7).objects != generate(200, 8).objects


@pytest.mark.parametrize(("number", "per_quirk"), [(24, 1), (300, 3), (2000, 20)])
def test_a_sample_has_the_orders_asked_for_and_each_quirk_often_enough(number: int, per_quirk: int) -> None:
    shop_sample = generate(number, 5, per_quirk)
    assert len(orders(shop_sample)) == number
    assert set(shop_sample.quirks) == {*QUIRKS, "not_json"}
    assert min(len(set(keys)) for keys in shop_sample.quirks.values()) >= per_quirk
    assert {key for keys in shop_sample.quirks.values() for key in keys} <= set(shop_sample.objects)


def test_too_few_orders_for_the_quirks_are_refused() -> None:
    with pytest.raises(ValueError, match="too few orders"):
        generate(8, 1)


def test_a_broken_order_has_no_other_quirk() -> None:
    shop_sample = generate(300, 2, 3)
    shown = Counter(key for keys in shop_sample.quirks.values() for key in keys)
    assert {shown[key] for name in BROKEN for key in shop_sample.quirks[name]} == {1}


def test_an_order_without_quirks_is_complete_and_stands_in_every_source() -> None:
    shop_sample = generate(400, 3)
    odd = {key for keys in shop_sample.quirks.values() for key in keys}
    plain = [key for key in orders(shop_sample) if key not in odd]
    stores, customers = (
        {row.store_id for row in shop_sample.stores},
        {item["customer_id"] for item in shop_sample.activity},
    )
    assert len(plain) > 300
    for key in plain:
        document = order(shop_sample, key)
        assert document["store_id"] in stores
        assert document["customer_id"] in customers
        assert -document["total"].as_tuple().exponent == 2
        assert document["total"] == sum(
            int(item["quantity"]) * Decimal(item["unit_price"]) for item in items(shop_sample, key)
        )
        assert json.loads(base64.b64decode(document["embedded_data"]))["loyalty"]["tier"]
        (at,) = [at for at, line in shop_sample.logs if f" {document['transaction_id']} scored " in line]
        scored = datetime.fromtimestamp(at / 1000, UTC)
        assert abs(scored - datetime.fromisoformat(document["ordered_at"])) < timedelta(hours=1)


def test_each_quirk_of_the_document_is_what_its_name_says() -> None:
    shop_sample = generate(300, 4)
    first = {name: keys[0] for name, keys in shop_sample.quirks.items()}
    with pytest.raises(json.JSONDecodeError):
        order(shop_sample, first["malformed"])
    assert isinstance(order(shop_sample, first["not_an_object"]), list)
    assert "transaction_id" not in order(shop_sample, first["no_id"])
    assert "/" in order(shop_sample, first["slash_id"])["transaction_id"]
    assert b'"total": 19.999' in shop_sample.objects[first["money_too_fine"]]
    assert b'"store_id": 17.0' in shop_sample.objects[first["integral_float"]]
    assert b'"store_id": "17"' in shop_sample.objects[first["text_store_id"]]
    assert order(shop_sample, first["null_time"])["ordered_at"] is None
    assert datetime.fromisoformat(order(shop_sample, first["naive_time"])["ordered_at"]).tzinfo is None
    assert shop_sample.objects[first["pretty_json"]].count(b"\n") > 5
    assert [("embedded_data" in order(shop_sample, key)) for key in shop_sample.quirks["null_embedded"]] == [
        True,
        False,
    ]
    local = datetime.fromisoformat(order(shop_sample, first["offset_time"])["ordered_at"])
    assert local.date() == local.astimezone(UTC).date() + timedelta(days=1)
    assert {b"9999999999.99", b"0.30", b'"12.30"'} <= {
        shop_sample.objects[key].split(b'"total": ')[1].split(b",")[0] for key in shop_sample.quirks["money"]
    }
    first_order, second_order = (
        order(shop_sample, key) for key in shop_sample.quirks["two_orders_one_customer"]
    )
    assert (first_order["store_id"], first_order["customer_id"]) == (
        second_order["store_id"],
        second_order["customer_id"],
    )
    assert {letter for key in shop_sample.quirks["odd_key"] for letter in key} >= set(" +ñ日%")


def test_each_quirk_of_the_items_and_the_log_is_what_its_name_says() -> None:
    shop_sample = generate(300, 4)
    first = {name: keys[0] for name, keys in shop_sample.quirks.items()}
    identity = {
        name: order(shop_sample, key)["transaction_id"] for name, key in first.items() if "fraud" in name
    }
    scored = {
        name: [at for at, line in shop_sample.logs if f" {i} scored " in line] for name, i in identity.items()
    }
    assert f"items/{order(shop_sample, first['no_items'])['transaction_id']}.csv" not in shop_sample.objects
    assert items(shop_sample, first["empty_items"]) == []
    assert items(shop_sample, first["quoted_csv"])[-1]["sku"] == 'Lamp, 12" "old"\nstyle'
    assert [
        items(shop_sample, first[name])[-1]["quantity"] for name in ("null_csv_cell", "bad_csv_cell")
    ] == [
        "",
        "two",
    ]
    assert {name: len(times) for name, times in scored.items()} == {
        "two_fraud_lines": 2,
        "no_fraud": 0,
        "fraud_out_of_window": 1,
    }
    noisy = order(shop_sample, first["other_log_text"])["transaction_id"]
    assert sum(f"transaction {noisy[:7]} scored" in line for _, line in shop_sample.logs) == 1


def test_a_sample_written_as_files_reads_back_the_same(tmp_path: Path) -> None:
    shop_sample = sample()
    write(shop_sample, tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in files} == shop_sample.objects


def test_importing_the_sandbox_loads_no_sdk() -> None:
    heavy = "{'boto3', 'botocore', 'moto', 'pymysql', 'flask', 'mysql_mimic'}"
    code = f"import sys, plait_sandbox; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_moto_the_sandbox_says_what_to_install() -> None:
    code = "import sys; sys.modules['moto'] = None; from plait_sandbox.aws import start_aws; start_aws()"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "plait[sandbox]"' in done.stderr.splitlines()[-1]


def test_every_object_arrives_and_each_below_transactions_is_announced_once(shop: Sandbox) -> None:
    shop_sample = sample()
    pages = shop.client("s3").get_paginator("list_objects_v2").paginate(Bucket="shop-raw")
    assert {entry["Key"] for page in pages for entry in page["Contents"]} == set(shop_sample.objects)
    body = (
        shop.client("s3").get_object(Bucket="shop-raw", Key=shop_sample.quirks["odd_key"][0])["Body"].read()
    )
    assert body == shop_sample.objects[shop_sample.quirks["odd_key"][0]]
    messages = shop.receive(1000)
    assert sorted(keys_of(messages)) == sorted(
        key for key in shop_sample.objects if key.startswith("transactions/")
    )
    shop.delete(messages)
    waiting = shop.client("sqs").get_queue_attributes(QueueUrl=shop.queue_url, AttributeNames=["All"])
    assert int(waiting["Attributes"]["ApproximateNumberOfMessagesNotVisible"]) == 0


def test_a_quiet_fill_announces_nothing() -> None:
    with Sandbox("mysql-mimic") as shop:
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
    secret = serve_stores(server, [(1, "Corner", None)])
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        read(secret, "DELETE FROM stores.stores")


def test_both_servers_answer_a_lookup_the_same(server: LocalMysql) -> None:
    secret = serve_stores(server, [(1, "Señor 🛒", None), (2, None, "東京"), (3, "Kiosk", "Łódź")])
    sql = "SELECT `name`, `city`, `store_id` FROM `stores`.`stores` WHERE `store_id` IN (%s, %s, %s)"
    rows = read(secret, sql, (2, 1, 9))
    assert sorted(rows, key=lambda row: row[2]) == [("Señor 🛒", None, 1), (None, "東京", 2)]


def test_both_servers_refuse_a_wrong_password(server: LocalMysql) -> None:
    secret = serve_stores(server, [])
    with pytest.raises(pymysql.err.OperationalError):
        read({**secret, "password": "wrong"}, "SELECT 1")


def test_stores_are_replaced_as_a_whole(server: LocalMysql) -> None:
    serve_stores(server, [(n, "old", None) for n in range(500)])
    secret = serve_stores(server, [(7, "new", None)])
    assert read(secret, "SELECT store_id, name FROM stores.stores") == [(7, "new")]


def test_a_stopped_server_listens_no_more(tmp_path: Path) -> None:
    with start_mysql(tmp_path, "mariadb") as mysql, start_aws() as aws:
        ports = [mysql.port, int(aws.endpoint.rpartition(":")[2])]
        assert all(map(listens, ports))
    assert not any(map(listens, ports))
    assert list(tmp_path.iterdir()) == []


def test_mysql_mimic_stops_silently_while_clients_are_connected() -> None:
    """One client has logged in and waits, another has not yet answered the greeting."""
    code = """
import socket, pymysql
from pathlib import Path
from plait_sandbox.mysql import start_mysql
with start_mysql(Path(), "mysql-mimic") as server:
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


def test_the_servers_end_with_the_process_that_started_them() -> None:
    code = """
import time
from plait_sandbox import Sandbox
sandbox = Sandbox()
print(sandbox.mysql.port, sandbox.aws.endpoint.rpartition(":")[2], flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        ports = [int(port) for port in parent.stdout.readline().split()]
        assert all(map(listens, ports))
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(map(listens, ports)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(listens, ports))
