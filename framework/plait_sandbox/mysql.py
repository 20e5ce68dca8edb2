"""A local MySQL: a private MariaDB where it is installed, else mysql-mimic."""

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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

Flavour = Literal["mariadb", "mysql-mimic"]
HOST = "127.0.0.1"
READER = "reader"
DATABASE = "stores"
COLUMNS = ("store_id", "name", "city")
SQL = Path(__file__).with_name("sql")
LONGEST_START_SECONDS = 60.0
FAST_OPTIONS = (  # little memory, and no care for what a crash would lose
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
)


@dataclass(slots=True)
class LocalMysql:
    """A running server and how its administrator logs in; `stop` ends it, as leaving `with` does.

    `tables` are the rows that mysql-mimic serves, by table.
    """

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
        """Run a statement, once or for each of many rows, and return the rows of its answer."""
        import pymysql

        with (
            contextlib.closing(self._login(pymysql.connect)) as connection,
            connection.cursor() as cursor,
        ):
            if rows is None:
                cursor.execute(sql)
            else:
                cursor.executemany(sql, rows)
            return list(cursor.fetchall())

    def _login(self, connect: Callable[..., Any]) -> Any:
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
    """Whether a private MariaDB can be started on this machine."""
    return bool(_find_program("mariadbd") and _find_program("mariadb-install-db"))


def start_mysql(folder: Path, flavour: Flavour | None = None) -> LocalMysql:
    """Start a server that keeps its files in a folder; raises RuntimeError where it is not installed or does not start."""
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
        mysql.tables["stores"] = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        return _login_secret(mysql, mysql.user, mysql.password)
    _execute_file(mysql, "stores.sql")
    if rows:
        mysql.execute("INSERT INTO stores.stores VALUES (%s, %s, %s)", rows)
    _execute_file(mysql, "reader.sql")
    return _login_secret(mysql, READER, mysql.password)


def _execute_file(mysql: LocalMysql, name: str) -> None:
    for statement in _read_sql(name, mysql.password).split(";\n"):
        if statement.strip():
            mysql.execute(statement)


def _read_sql(name: str, password: str) -> str:
    return (SQL / name).read_text("utf-8").format(host=HOST, password=password)


def _new_password() -> str:
    """A password that tests recognise wherever it may be seen."""
    return "-".join(("canary", "secret", secrets.token_hex(8)))  # not in one piece: this file is searched too


def _login_secret(mysql: LocalMysql, user: str, password: str) -> dict[str, str | int]:
    return {
        "engine": "mysql",
        "host": mysql.host,
        "port": mysql.port,
        "username": user,
        "password": password,
        "dbname": DATABASE,
    }


def _find_program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(
        name, path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
    )


def _start_mariadb(folder: Path) -> LocalMysql:
    data = folder.absolute() / "mysql"
    password = _new_password()
    _install_mariadb(data, password)
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    log = data / "server.log"
    # A relative path of the socket is within the data folder; an absolute one could be longer than sockets may have.
    options = [
        f"--port={port}",
        f"--bind-address={HOST}",
        "--socket=server.sock",
        f"--init-file={data / 'init.sql'}",
    ]
    command = [
        str(_find_program("mariadbd")),
        "--no-defaults",
        *_user_option(),
        f"--datadir={data}",
        *options,
        *FAST_OPTIONS,
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    watcher = _stop_with_parent(server, data)

    def stop() -> None:
        watcher.kill()
        watcher.communicate()
        server.kill()
        server.wait()
        shutil.rmtree(data, ignore_errors=True)

    mysql = LocalMysql(port, password, "mariadb", stop)
    _wait_until_ready(mysql, server, log)
    return mysql


def _install_mariadb(data: Path, password: str) -> None:
    data.mkdir(parents=True)
    options = [
        "--no-defaults",
        *_user_option(),
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
    ]
    # Every MariaDB that starts removes the temporary tables of others that it finds, so this one has a folder of its own.
    with tempfile.TemporaryDirectory() as own_folder:
        installation = subprocess.run(
            [str(_find_program("mariadb-install-db")), *options, "--skip-test-db"],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": own_folder},
        )
    if installation.returncode:
        output = installation.stderr or installation.stdout
        raise RuntimeError(f"MariaDB cannot set up its folder: {output[-500:]}")
    # MariaDB reads its init file line by line, so each statement of administrator.sql is one line.
    (data / "init.sql").write_text(_read_sql("administrator.sql", password))


def _user_option() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _stop_with_parent(server: subprocess.Popen[bytes], data: Path) -> subprocess.Popen[bytes]:
    command = ["sh", "-c", 'read _; kill -9 "$1"; rm -rf "$2"', "sh", str(server.pid), str(data)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _wait_until_ready(mysql: LocalMysql, server: subprocess.Popen[bytes], log: Path) -> None:
    import pymysql

    deadline = time.monotonic() + LONGEST_START_SECONDS
    while True:
        try:
            mysql.execute("SELECT 1")
        except pymysql.MySQLError as error:
            if server.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            log_end = log.read_text(errors="replace")[-500:]
            mysql.stop()
            raise RuntimeError(f"MariaDB did not start: {log_end}") from error
        return


def _start_mimic() -> LocalMysql:
    from plait_sandbox.mimic_server import serve

    password = _new_password()
    tables: dict[str, list[dict[str, Any]]] = {"stores": []}
    port, stop = serve(HOST, "root", password, tables)
    return LocalMysql(port, password, "mysql-mimic", stop, tables=tables)
