"""Rows of a MySQL table, asked by key columns."""

from __future__ import annotations

import ipaddress
import random
import re
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from plait.api import Connector, GiveUp, Options, Record, Statement, hookimpl
from plait_connectors._aws import arn
from plait_connectors._mysql import kind_of, problem

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from plait.api import Context, Key, Use

NAME = "[A-Za-z0-9_$]+"
PAUSE = 0.2
SETTINGS = {
    "charset": "utf8mb4",
    "init_command": "SET SESSION time_zone = '+00:00'",
    "autocommit": True,
    "local_infile": False,
    "connect_timeout": 10,
    "read_timeout": 30,
    "write_timeout": 30,
}


class MySQLOptions(Options, frozen=True):
    """Options of the connector `mysql`."""

    secret: Annotated[
        str,
        Meta(
            min_length=1,
            description="secret with host, port, username, password, dbname",
            examples=["shop/stores-db"],
        ),
    ]
    table: Annotated[
        str,
        Meta(
            pattern=rf"^{NAME}(\.{NAME})?$",
            description="`table` or `database.table`",
            examples=["stores", "shop.stores"],
        ),
    ]
    tls: Annotated[
        Literal["verify", "encrypt", "off"] | None,
        Meta(description="left out: verify where `ca` is given, off on this host, else encrypt"),
    ] = None
    ca: Annotated[
        str | None,
        Meta(
            description="file with the certificates to trust, for `tls: verify`",
            examples=["certificates.pem"],
        ),
    ] = None


class MySQLLookup:
    """Asks a table with one SELECT for many keys, over one connection."""

    def __init__(self, options: MySQLOptions, context: Context) -> None:
        self.options = options
        self.context = context
        self._lock = threading.Lock()
        self._connection: Any = None
        self._tls: ssl.SSLContext | None = None

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """The rows that have these keys."""
        if not keys:
            return []
        sql = _select(self.options.table, self.context.fields, tuple(keys[0].fields), len(keys))
        values = [value for key in keys for value in key.fields.values()]
        with self._lock:
            return self._patiently(sql, values)

    def close(self) -> None:
        """Close the connection; the next fetch opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection._force_close()  # noqa: SLF001 - close() raises on a connection that is gone

    def _patiently(self, sql: str, values: Sequence[Any]) -> list[Record]:
        import pymysql

        tried: set[str] = set()
        while True:
            try:
                return self._query(sql, values, fresh="denied" in tried)
            except pymysql.MySQLError as error:
                self.close()
                kind = kind_of(error)
                if kind == "wrong" or kind in tried:
                    raise problem(error, kind, self.options.table) from error
                tried.add(kind)
            if "lost" in tried:
                time.sleep(random.uniform(PAUSE / 2, PAUSE))

    def _query(self, sql: str, values: Sequence[Any], *, fresh: bool) -> list[Record]:
        if self._connection is None:
            self._connection = self._connect(fresh=fresh)
        self.context.count("mysql:Query")
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [Record(fields=dict(zip(names, row, strict=True))) for row in cursor.fetchall()]

    def _connect(self, *, fresh: bool) -> Any:
        import pymysql

        arguments = _login(self.context.secret(self.options.secret, fresh=fresh), self.options)
        self.context.count("mysql:Connect")
        settings: dict[str, Any] = {**arguments, **self._security(arguments["host"]), **SETTINGS}
        try:
            connection = pymysql.connect(**settings, conv=_converters())
        except RuntimeError as error:
            message = "the MySQL server asks for the password by a method that needs TLS"
            raise GiveUp(message, help="set `tls: encrypt`") from error
        connection.query("SET SESSION TRANSACTION READ ONLY")
        return connection

    def _security(self, host: str) -> dict[str, Any]:
        mode = self.options.tls or ("verify" if self.options.ca else "off" if _loopback(host) else "encrypt")
        if mode == "off":
            return {"ssl_disabled": True}
        self._tls = self._tls or _tls(mode, self.options.ca)
        return {"ssl": self._tls}


def _tls(mode: str, ca: str | None) -> ssl.SSLContext:
    import ssl

    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise GiveUp(f"no certificates can be read from `{ca}`", help="check the option `ca`") from error
    if mode == "encrypt":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _login(secret: Mapping[str, Any], options: MySQLOptions) -> dict[str, Any]:
    needed = (
        ("host", "username", "password")
        if "." in options.table
        else ("host", "username", "password", "dbname")
    )
    for name in needed:
        if not isinstance(secret.get(name), str) or not secret[name]:
            raise GiveUp(
                f"the secret `{options.secret}` has no text `{name}`", help=f"add `{name}` to the secret"
            )
    port = str(secret.get("port", 3306))
    if not re.fullmatch("[0-9]{1,5}", port):
        raise GiveUp(f"the `port` of the secret `{options.secret}` is no number")
    return {
        "host": secret["host"],
        "port": int(port),
        "user": secret["username"],
        "password": secret["password"],
        "database": secret.get("dbname") if options.table.count(".") == 0 else None,
    }


def _select(table: str, fields: Sequence[str] | None, key: Sequence[str], keys: int) -> str:
    if not re.fullmatch(rf"{NAME}(\.{NAME})?", table):
        raise GiveUp("the option `table` is not `table` or `database.table`")
    columns = "*" if fields is None else ", ".join(map(_quoted, dict.fromkeys((*fields, *key))))
    left, right = ", ".join(map(_quoted, key)), ", ".join(["%s"] * len(key))
    if len(key) > 1:
        left, right = f"({left})", f"({right})"
    source = ".".join(map(_quoted, table.split(".")))
    return f"SELECT {columns} FROM {source} WHERE {left} IN ({', '.join([right] * keys)})"  # noqa: S608 - names are quoted, values bound


def _quoted(name: str) -> str:
    # PyMySQL fills values with `%`, so a `%` in a name is doubled.
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def _converters() -> dict[Any, Any]:
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions, through

    # TIME stays text as the server writes it: a timedelta loses how it was written.
    return {**conversions, FIELD_TYPE.BIT: _bits, FIELD_TYPE.TIME: through}


def _bits(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _permissions(options: MySQLOptions, _use: Use) -> list[Statement]:
    name = options.secret
    # Secrets Manager adds a hyphen and six characters to the name of a secret in its ARN.
    secret = name if name.startswith("arn:") else arn("secretsmanager", f"secret:{name}-??????")
    why = "read the host, user and password of the database"
    return [Statement(actions=("secretsmanager:GetSecretValue",), resources=(secret,), why=why)]


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `mysql`."""
    return [
        Connector(
            name="mysql",
            summary="rows of a MySQL table, by key columns",
            options=MySQLOptions,
            lookup=MySQLLookup,
            keys_per_call=1000,
            permissions=_permissions,
        )
    ]
