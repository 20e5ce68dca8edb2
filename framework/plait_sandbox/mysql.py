"""A MySQL of one's own: a private MariaDB where it is installed, else mysql-mimic."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

Flavour = Literal["mariadb", "mysql-mimic"]
HOST = "127.0.0.1"
READER = "reader"
DATABASE = "stores"
PATIENCE = 60.0
CREATE = (
    "CREATE DATABASE IF NOT EXISTS stores CHARACTER SET utf8mb4",
    "CREATE OR REPLACE TABLE stores.stores (store_id BIGINT PRIMARY KEY, name VARCHAR(100), city VARCHAR(100)) CHARACTER SET utf8mb4",
)
QUICKLY = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
)


@dataclass(slots=True)
class LocalMysql:
    """A running server and how its administrator logs in; close it with `stop` or by leaving `with`."""

    port: int
    password: str
    flavour: Flavour
    stop: Callable[[], None]
    host: str = HOST
    user: str = "root"
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def execute(self, sql: str, rows: Sequence[Sequence[object]] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement, once or for each of many rows, and return what it answers."""
        import pymysql

        with (
            contextlib.closing(self._connect(pymysql.connect)) as connection,
            connection.cursor() as cursor,
        ):
            if rows is None:
                cursor.execute(sql)
            else:
                cursor.executemany(sql, rows)
            return list(cursor.fetchall())

    def _connect(self, connect: Callable[..., Any]) -> Any:
        return connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            charset="utf8mb4",
            autocommit=True,
            ssl_disabled=True,
        )


def mariadb_is_installed() -> bool:
    """Return whether a private MariaDB can be started on this machine."""
    return bool(_program("mariadbd") and _program("mariadb-install-db"))


def start_mysql(folder: Path, flavour: Flavour | None = None) -> LocalMysql:
    """Start a server that keeps its files in a folder."""
    if flavour == "mysql-mimic" or (flavour is None and not mariadb_is_installed()):
        return _start_mimic()
    if not mariadb_is_installed():
        raise RuntimeError("MariaDB is not installed: apt-get install mariadb-server")
    return _start_mariadb(folder)


def serve_stores(
    mysql: LocalMysql, stores: Iterable[tuple[int, str | None, str | None]]
) -> dict[str, str | int]:
    """Replace the table `stores.stores` and return the secret of a user who may only read it."""
    rows = list(stores)
    if mysql.flavour == "mysql-mimic":
        mysql.tables["stores"] = [dict(zip(("store_id", "name", "city"), row, strict=True)) for row in rows]
        return _secret(mysql, mysql.user, mysql.password)
    for statement in CREATE:
        mysql.execute(statement)
    if rows:
        mysql.execute("INSERT INTO stores.stores VALUES (%s, %s, %s)", rows)
    mysql.execute(f"CREATE OR REPLACE USER {READER}@'{HOST}' IDENTIFIED BY '{mysql.password}'")
    mysql.execute(f"GRANT SELECT ON {DATABASE}.* TO {READER}@'{HOST}'")
    return _secret(mysql, READER, mysql.password)


def _password() -> str:
    """A password that tests recognise wherever it may be seen."""
    return "-".join(("canary", "secret", secrets.token_hex(8)))  # the file itself is searched too


def _secret(mysql: LocalMysql, user: str, password: str) -> dict[str, str | int]:
    return {
        "engine": "mysql",
        "host": mysql.host,
        "port": mysql.port,
        "username": user,
        "password": password,
        "dbname": DATABASE,
    }


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(
        name, path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
    )


def _start_mariadb(folder: Path) -> LocalMysql:
    data = folder.absolute() / "mysql"
    password = _password()
    _install(data, password)
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    log = data / "server.log"
    # A relative socket stands in the data folder, however long the folder's name is.
    options = [
        f"--port={port}",
        f"--bind-address={HOST}",
        "--socket=server.sock",
        f"--init-file={data / 'init.sql'}",
    ]
    command = [str(_program("mariadbd")), "--no-defaults", *_user(), f"--datadir={data}", *options, *QUICKLY]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    watcher = _end_with_parent(server, data)

    def stop() -> None:
        watcher.kill()
        watcher.communicate()
        server.kill()
        server.wait()
        shutil.rmtree(data, ignore_errors=True)

    mysql = LocalMysql(port, password, "mariadb", stop)
    _await(mysql, server, log)
    return mysql


def _install(data: Path, password: str) -> None:
    data.mkdir(parents=True)
    options = ["--no-defaults", *_user(), f"--datadir={data}", "--auth-root-authentication-method=normal"]
    # Every MariaDB that starts removes the temporary tables that it finds, so this one has a folder of its own.
    with tempfile.TemporaryDirectory() as alone:
        done = subprocess.run(
            [str(_program("mariadb-install-db")), *options, "--skip-test-db"],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": alone},
        )
    if done.returncode:
        raise RuntimeError(f"MariaDB cannot set up its folder: {(done.stderr or done.stdout)[-500:]}")
    init = f"CREATE OR REPLACE USER root@'{HOST}' IDENTIFIED BY '{password}';\n"
    (data / "init.sql").write_text(f"{init}GRANT ALL ON *.* TO root@'{HOST}' WITH GRANT OPTION;\n")


def _user() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _end_with_parent(server: subprocess.Popen[bytes], data: Path) -> subprocess.Popen[bytes]:
    command = ["sh", "-c", 'read _; kill -9 "$1"; rm -rf "$2"', "sh", str(server.pid), str(data)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _await(mysql: LocalMysql, server: subprocess.Popen[bytes], log: Path) -> None:
    import pymysql

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            mysql.execute("SELECT 1")
        except pymysql.MySQLError as error:
            if server.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            told = log.read_text(errors="replace")[-500:]
            mysql.stop()
            raise RuntimeError(f"MariaDB did not start: {told}") from error
        return


def _start_mimic() -> LocalMysql:
    from plait_sandbox.mimic import serve

    password = _password()
    tables: dict[str, list[dict[str, Any]]] = {"stores": []}
    port, stop = serve(HOST, "root", password, tables)
    return LocalMysql(port, password, "mysql-mimic", stop, tables=tables)
