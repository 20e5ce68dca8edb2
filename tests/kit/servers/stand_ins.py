"""The stand-ins for AWS and MySQL, each started once in a process that runs tests; a test takes names that no other has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pymysql
import pytest

from kit.network.proxy import Proxy
from kit.paths import DATA
from kit.servers.buckets import buckets
from kit.shop import Shop
from kit.watch.payload import salted
from plait_sandbox import sample, start_sandbox
from plait_sandbox.aws import LocalAws, start_aws
from plait_sandbox.mysql import LocalMysql, start_mysql

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """An AWS with nothing in it but what tests put there."""
    with start_aws() as aws:
        yield aws


@pytest.fixture(scope="session")
def mysql() -> Iterator[LocalMysql]:
    """A MariaDB with nothing in it but what tests put there."""
    with start_mysql("mariadb") as mysql:
        yield mysql


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The sandbox with the demo's sample; plait talks to it through the proxy."""
    with start_sandbox("mariadb") as sandbox, Proxy(sandbox.aws.endpoint) as proxy:
        salted_sample = salted(sample())
        sandbox.fill(salted_sample, announce=False)
        yield Shop(sandbox, salted_sample, proxy, sandbox.client("s3"))


@pytest.fixture(scope="session")
def reader(mysql: LocalMysql) -> dict[str, Any]:
    """The secret of a user who may read every table of the MariaDB; the sandbox has a `reader` of its own there."""
    with log_in(mysql) as root:
        root.query("CREATE USER kit@'%' IDENTIFIED BY 'canary-secret-pw'")
        root.query("GRANT SELECT ON *.* TO kit@'%'")
    return {"host": mysql.host, "port": mysql.port, "username": "kit", "password": "canary-secret-pw"}


@pytest.fixture
def at_aws(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """The AWS, which every client of this process finds by itself."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def s3(at_aws: LocalAws) -> Iterator[Any]:
    """A client of S3, with a bucket `shop` that is empty."""
    client = boto3.client("s3")
    with buckets(client, "shop"):
        yield client
    client.close()


def log_in(mysql: LocalMysql, **more: Any) -> Any:
    """A connection of the server's administrator."""
    return pymysql.connect(
        host=mysql.host,
        port=mysql.port,
        user=mysql.user,
        password=mysql.password,
        charset="utf8mb4",
        autocommit=True,
        ssl_disabled=True,
        **more,
    )


def run_sql(connection: Any, name: str) -> None:
    """Run the statements of a file of `tests/data/sql`."""
    for statement in (DATA / "sql" / name).read_text(encoding="utf-8").strip().split(";\n"):
        connection.query(statement)
