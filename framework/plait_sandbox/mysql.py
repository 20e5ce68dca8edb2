"""A local MySQL: a private MariaDB where it is installed, else mysql-mimic."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from plait_sandbox.guard import guarded_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plait_sandbox.contents import MysqlTable

Flavour = Literal["mariadb", "mysql-mimic"]
HOST = "127.0.0.1"
READER = "reader"
LONGEST_START_SECONDS = 60.0
OPTIONS = (
    f"--bind-address={HOST}",
    # A relative path of the socket is within the data folder; an absolute one could be longer than sockets may have.
    "--socket=server.sock",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    # Little memory, and no care for what a crash would lose.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
)


@dataclass(slots=True)
class LocalMysql:
    """A running server and how its administrator logs in; `tables` are those that mysql-mimic serves."""

    port: int
    password: str
    flavour: Flavour
    host: str = HOST
    user: str = "root"
    tables: dict[tuple[str, str], MysqlTable] = field(default_factory=dict)

    def execute(self, sql: str, rows: Sequence[Sequence[object]] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement, once or for each of many rows, and return the rows of its answer."""
        import pymysql

        settings: dict[str, Any] = {"charset": "utf8mb4", "autocommit": True, "ssl_disabled": True}
        settings |= {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        with closing(pymysql.connect(**settings)) as connection, connection.cursor() as cursor:
            if rows is None:
                cursor.execute(sql)
            else:
                cursor.executemany(sql, rows)
            return list(cursor.fetchall())

    def put_table(self, database: str, name: str, table: MysqlTable) -> None:
        """Replace a table with its rows; the user `reader` may read it."""
        if self.flavour == "mysql-mimic":
            self.tables[database, name] = table
            return
        place = f"{_quoted(database)}.{_quoted(name)}"
        columns = [f"{_quoted(column)} {sql_type}" for column, sql_type in table.columns.items()]
        key = [f"PRIMARY KEY ({_quoted(table.key)})"] if table.key else []
        self.execute(f"CREATE DATABASE IF NOT EXISTS {_quoted(database)} CHARACTER SET utf8mb4")
        self.execute(f"CREATE OR REPLACE TABLE {place} ({', '.join([*columns, *key])}) CHARACTER SET utf8mb4")
        self.execute(f"CREATE USER IF NOT EXISTS {READER}@'{HOST}' IDENTIFIED BY '{self.password}'")
        self.execute(f"GRANT SELECT ON {_quoted(database)}.* TO {READER}@'{HOST}'")
        if table.rows:
            values = ", ".join(["%s"] * len(columns))
            self.execute(f"INSERT INTO {place} VALUES ({values})", table.tuples())  # noqa: S608 - quoted

    def reader_secret(self, database: str) -> dict[str, str | int]:
        """The secret of the user who may only read, as RDS keeps it."""
        return {
            "engine": "mysql",
            "host": self.host,
            "port": self.port,
            "username": READER if self.flavour == "mariadb" else self.user,
            "password": self.password,
            "dbname": database,
        }


def mariadb_is_installed() -> bool:
    """Whether a private MariaDB can be started on this machine."""
    return bool(_find_program("mariadbd") and _find_program("mariadb-install-db"))


def start_mysql(
    flavour: Flavour | None = None, password: str | None = None
) -> AbstractContextManager[LocalMysql]:
    """Start a server; raises RuntimeError where it is not installed or does not start."""
    password = password or _new_password()
    if flavour == "mysql-mimic" or (flavour is None and not mariadb_is_installed()):
        return _start_mimic(password)
    if not mariadb_is_installed():
        raise RuntimeError("MariaDB is not installed: apt-get install mariadb-server")
    return _start_mariadb(password)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _new_password() -> str:
    """A password that tests recognise wherever it may be seen."""
    return "-".join(("canary", "secret", secrets.token_hex(8)))  # not in one piece: this file is searched too


def _find_program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(
        name, path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
    )


@contextmanager
def _start_mariadb(password: str) -> Iterator[LocalMysql]:
    with guarded_folder("plait-mysql-") as guard:
        data = guard.folder / "data"
        where = ["--no-defaults", *(["--user=root"] if os.geteuid() == 0 else []), f"--datadir={data}"]
        _install_mariadb(where, guard.folder)
        # MariaDB reads its init file line by line, so each statement is one line.
        (data / "init.sql").write_text(
            f"CREATE OR REPLACE USER root@'{HOST}' IDENTIFIED BY '{password}';\n"
            f"GRANT ALL ON *.* TO root@'{HOST}' WITH GRANT OPTION;\n"
        )
        with socket.socket() as free:
            free.bind((HOST, 0))
            port = int(free.getsockname()[1])
        command = [
            str(_find_program("mariadbd")),
            *where,
            f"--port={port}",
            f"--init-file={data / 'init.sql'}",
        ]
        log = guard.folder / "server.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                [*command, *OPTIONS],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            guard.end_with_folder(server)
            mysql = LocalMysql(port, password, "mariadb")
            _wait_until_ready(mysql, server, log)
            yield mysql
        finally:
            server.kill()
            server.wait()


def _install_mariadb(where: Sequence[str], folder: Path) -> None:
    # Every MariaDB that starts removes the temporary tables of others that it finds, so this one has a folder of its own.
    temporary = folder / "tmp"
    temporary.mkdir()
    installation = subprocess.run(
        [
            str(_find_program("mariadb-install-db")),
            *where,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    if installation.returncode:
        output = installation.stderr or installation.stdout
        raise RuntimeError(f"MariaDB cannot set up its folder: {output[-500:]}")


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
            raise RuntimeError(f"MariaDB did not start: {log_end}") from error
        return


@contextmanager
def _start_mimic(password: str) -> Iterator[LocalMysql]:
    from plait_sandbox.mimic_server import serve

    mysql = LocalMysql(0, password, "mysql-mimic")
    with serve(mysql) as mysql.port:
        yield mysql
