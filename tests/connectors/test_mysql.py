"""The connector `mysql`, against a real MariaDB."""

from __future__ import annotations

import subprocess
import sys
import traceback
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from kit.connect import mysql_lookup
from kit.servers.stand_ins import log_in, run_sql
from kit.stubs import Stub, free_port
from plait.plugin import GiveUp, Key, TryAgain
from plait_connectors._mysql_errors import as_plait_error
from plait_connectors.mysql import MySQLLookup, MySQLOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.mysql import LocalMysql

SESSIONS: dict[int, Any] = {}
LOGIN = {"host": "127.0.0.1", "username": "clerk", "password": "canary-secret-old", "dbname": "shop"}


@pytest.fixture(scope="module")
def port(mysql: LocalMysql) -> Iterator[int]:
    with log_in(mysql) as SESSIONS[mysql.port]:
        run_sql(SESSIONS[mysql.port], "shop.sql")
        yield mysql.port
    del SESSIONS[mysql.port]


def stub(port: int, fields: tuple[str, ...] | None = None, **other: Any) -> Stub:
    return Stub(fields=fields, secrets={"db": LOGIN | {"port": port, **other}})


def fetch(
    context: Stub, *values: Any, name: str = "id", table: str = "shop.stores", **options: Any
) -> list[Any]:
    """Fetch keys of one column."""
    with mysql_lookup(context, table, **options) as lookup:
        return list(lookup.fetch(keys(*values, name=name)))


def keys(*values: Any, name: str = "id") -> list[Key]:
    return [Key(fields={name: value}) for value in values]


def test_many_keys_cost_one_query(port: int) -> None:
    """All keys are one query, and the next batch uses the same connection."""
    context = stub(port, ("name",))
    with mysql_lookup(context, "shop.stores") as lookup:
        records = lookup.fetch(keys(1, 2, 3))
        lookup.fetch(keys(2))
    assert [record.fields for record in records] == [{"name": "Añil ☂", "id": 1}, {"name": "O'Hara", "id": 2}]
    assert context.calls == {"secret": 1, "mysql:Connect": 1, "mysql:Query": 2}


@pytest.mark.fault("M9")
def test_no_keys_cost_no_query(port: int) -> None:
    context = stub(port)
    assert fetch(context) == []
    assert not context.calls


def test_a_key_of_several_columns(port: int) -> None:
    pairs = [Key(fields={"store": 1, "sku": "b"}), Key(fields={"store": 2, "sku": "a"})]
    with mysql_lookup(stub(port, ("price",)), "prices") as lookup:
        records = lookup.fetch(pairs)
    assert [r.fields["price"] for r in records] == [Decimal("2.5000000000"), Decimal("3.5000000000")]


def test_values_and_names_are_never_syntax(port: int) -> None:
    """A value with quotes is a value, and a column with a percent sign is a column."""
    context = stub(port, ("odd%name",))
    assert fetch(context, "' OR 1=1 -- ", '"; DROP TABLE stores; %s', name="name") == []
    assert fetch(context, "O'Hara", name="name")[0].fields["odd%name"] == 6


@pytest.mark.fault("M10")
def test_an_unknown_column_is_named(port: int) -> None:
    with pytest.raises(GiveUp, match=r"`shop\.stores` has no column `town`"):
        fetch(stub(port, ("town",)), 1)


@pytest.mark.parametrize(("table", "message"), [("shop.none", "no table"), ("mysql.user", "may not read")])
def test_a_table_out_of_reach_is_permanent(port: int, table: str, message: str) -> None:
    """A table that is absent or not granted is an error to correct, without the user's name."""
    with pytest.raises(GiveUp, match=message) as caught:
        fetch(stub(port), 1, table=table)
    assert "clerk" not in str(caught.value)


@pytest.mark.fault("M3")
def test_a_rotated_password_is_fetched_anew(port: int) -> None:
    context = stub(port, ("name",), password="canary-secret-older")
    context.fresh = {"db": LOGIN | {"port": port}}
    assert len(fetch(context, 1)) == 1
    assert context.calls == {"secret": 1, "secret:fresh": 1, "mysql:Connect": 2, "mysql:Query": 1}


@pytest.mark.fault("M3")
def test_a_wrong_password_is_permanent(port: int) -> None:
    """A password that stays wrong is an error to correct, and is not shown."""
    context = stub(port, password="canary-secret-wrong")
    with pytest.raises(GiveUp) as caught:
        fetch(context, 1)
    assert context.calls["mysql:Connect"] == 2
    error = caught.value
    frames = error.__traceback__ and error.__traceback__.tb_next
    shown = "".join(traceback.TracebackException(GiveUp, error, frames, capture_locals=True).format())
    assert "_query_patiently" in shown
    assert "canary-secret-wrong" not in f"{shown} {error.help}"
    assert "clerk" not in shown


@pytest.mark.fault("M1")
def test_a_connection_that_is_gone_is_made_again(port: int) -> None:
    """A connection that the server closed is replaced, once, and the query answered."""
    context = stub(port, ("name",))
    with mysql_lookup(context, "shop.stores") as lookup:
        lookup.fetch(keys(1))
        SESSIONS[port].query(f"KILL {lookup._connection.thread_id()}")
        assert len(lookup.fetch(keys(1))) == 1
    assert context.calls["mysql:Connect"] == 2


@pytest.mark.fault("M1")
def test_a_server_that_is_away_is_for_later() -> None:
    """A refused connection is tried twice and then left for later."""
    context = stub(free_port())
    with pytest.raises(TryAgain) as caught:
        fetch(context, 1)
    assert context.calls["mysql:Connect"] == 2
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.fault("M2")
@pytest.mark.parametrize("number", [1040, 1203, 1205, 1213, 1226])
def test_a_busy_server_or_a_lock_is_for_later(number: int) -> None:
    """It passes by itself; the text of the server is not shown."""
    error = as_plait_error(pymysql.OperationalError(number, "reader@10.0.0.7 waits"), "shop.stores")
    assert isinstance(error, TryAgain)
    assert (error.code, "10.0.0.7" in error.message) == ("throttled", False)


@pytest.mark.fault("M2")
def test_too_many_connections_are_for_later(port: int) -> None:
    SESSIONS[port].query("ALTER USER clerk@'%' WITH MAX_USER_CONNECTIONS 1")
    try:
        with mysql_lookup(stub(port), "shop.stores") as lookup:
            lookup.fetch(keys(1))
            with pytest.raises(TryAgain):
                fetch(stub(port), 1)
    finally:
        SESSIONS[port].query("ALTER USER clerk@'%' WITH MAX_USER_CONNECTIONS 0")


@pytest.mark.fault("M4")
@pytest.mark.parametrize("name", ["host", "username", "password", "dbname"])
def test_a_missing_field_of_the_secret_is_named(name: str) -> None:
    with pytest.raises(GiveUp, match=f"`{name}`") as caught:
        fetch(stub(1, **{name: None}), 1, table="stores")
    assert "canary-secret-old" not in str(caught.value)


@pytest.mark.fault("M11")
def test_the_session_is_read_only(port: int) -> None:
    """The session can write nothing, and no server may ask it for a file."""
    with mysql_lookup(stub(port, username="writer"), "shop.stores") as lookup:
        lookup.fetch(keys(1))
        with pytest.raises(pymysql.MySQLError, match="READ ONLY"):
            lookup._connection.query("DELETE FROM shop.stores")
        assert not lookup._connection._local_infile


def test_tls_that_the_server_lacks_is_refused(port: int) -> None:
    """If the option asks for TLS, the password never travels without it."""
    with pytest.raises(GiveUp, match="TLS"):
        fetch(stub(port), 1, tls="encrypt")


def test_importing_the_connector_imports_no_driver() -> None:
    code = """
import sys
import plait_connectors.mysql, plait_connectors.dynamodb, plait_connectors.cloudwatch_logs
assert not {"pymysql", "boto3", "botocore", "ssl"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_any_names_of_a_table_and_its_database_are_names(port: int) -> None:
    """A dash, a space and a percent sign stand as they are; a dot or a backtick within backticks."""
    session = SESSIONS[port]
    session.query("CREATE DATABASE IF NOT EXISTS `odd-shop`")
    session.query(
        "CREATE OR REPLACE TABLE `odd-shop`.`st``ores.2026 %s` (id INT, name TEXT) AS SELECT 7 id, 'Ada' name"
    )
    session.query("GRANT SELECT ON `odd-shop`.* TO clerk@'%'")
    table = "`st``ores.2026 %s`"
    choices: list[dict[str, str]] = [{"table": f"odd-shop.{table}"}, {"table": table, "database": "odd-shop"}]
    for options in choices:
        records = fetch(stub(port), 7, table=options.pop("table"), **options)
        assert [record.fields["name"] for record in records] == ["Ada"]


@pytest.mark.parametrize(("name", "help"), [("host", "`host`"), ("dbname", "`database`")])
def test_what_the_secret_lacks_may_be_an_option(port: int, name: str, help: str) -> None:
    with pytest.raises(GiveUp) as caught:
        fetch(stub(port, **{name: None}), 1, table="stores")
    assert f"set the option {help}" in (caught.value.help or "")


def test_the_options_win_over_the_secret(port: int) -> None:
    """A secret that RDS manages holds the user and the password alone."""
    where: dict[str, Any] = {"host": "127.0.0.1", "port": port, "database": "shop"}
    for others in (
        {"host": None, "port": None, "dbname": None},
        {"host": "db.invalid", "port": 1, "dbname": "x"},
    ):
        assert len(fetch(Stub(secrets={"db": LOGIN | others}), 1, table="stores", **where)) == 1


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        (
            "shop/db",
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:shop/db-??????",
        ),
        (
            "arn:aws:secretsmanager:eu-west-1:1:secret:shop/db",
            "arn:aws:secretsmanager:eu-west-1:1:secret:shop/db-??????",
        ),
        (
            "arn:aws:secretsmanager:eu-west-1:1:secret:shop/db-a1B2c3",
            "arn:aws:secretsmanager:eu-west-1:1:secret:shop/db-a1B2c3",
        ),
    ],
)
def test_the_policy_names_a_secret_as_iam_knows_it(name: str, resource: str) -> None:
    [statement] = MySQLLookup(MySQLOptions(secret=name, table="t")).permissions()
    assert statement.resources == (resource,)


@pytest.mark.parametrize(("tls", "remarks"), [(None, 0), ("verify", 0), ("encrypt", 1), ("off", 1)])
def test_little_tls_is_remarked_on(tls: Any, remarks: int) -> None:
    assert len([*MySQLLookup(MySQLOptions(secret="db", table="t", tls=tls)).remarks()]) == remarks


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "::ffff:169.254.169.254", "fd00:ec2::254"])
def test_the_option_host_is_no_metadata_service(host: str) -> None:
    with pytest.raises(GiveUp, match="the `host` is the address of a metadata service"):
        fetch(Stub(secrets={"db": LOGIN}), 1, table="stores", host=host)
