"""Rows of a MySQL table, asked by key columns."""

from __future__ import annotations

import ipaddress
import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from msgspec import Meta

from plait.plugin import BadRecord, Calls, Connector, GiveUp, Options, Record, Secret, Statement, hookimpl
from plait_connectors._aws import arn
from plait_connectors._mysql import meaning, problem, reading
from plait_connectors._mysql_select import LONGEST, NAME, UNHELD, charsets, chunks, held, longest, select
from plait_connectors._mysql_values import converters, finishers, rounded

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plait.plugin import Context, Key, Secrets, Use

T = TypeVar("T")
KEYS_PER_CALL = 1000
CONNECT = 10.0
STATEMENT_SHARE = 5 / 6
METADATA = ipaddress.ip_network("fd00:ec2::/32")
SETTINGS = {
    "charset": "utf8mb4",
    "init_command": "SET SESSION time_zone = '+00:00'",
    "autocommit": True,
    "local_infile": False,
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
    ca: (
        Annotated[
            str,
            Meta(
                min_length=1,
                description="file with the certificates to trust, for `tls: verify`",
                examples=["certificates.pem"],
            ),
        ]
        | None
    ) = None
    max_rows: Annotated[int, Meta(ge=1, description="a key with more rows is a bad record")] = 100_000


class MySQLLookup:
    """Asks a table with one SELECT for many keys, over one connection."""

    def __init__(self, options: MySQLOptions, context: Context) -> None:
        self.options = options
        self.context = context
        self._lock = threading.Lock()
        self._connection: Any = None
        self._tls: ssl.SSLContext | None = None
        self._fields: Iterable[str] | None = context.fields
        self._floats: frozenset[str] = frozenset()
        self._charsets: dict[str, str] | None = None

    def prepare(self) -> None:
        """Load the driver, and make the client that reads the secret."""
        import pymysql  # noqa: F401 - loaded now, used when there are keys

        self.context.client("secretsmanager")

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """The rows that have these keys."""
        fit = [key for key in keys if longest(key) <= LONGEST]
        fault = BadRecord(f"a key of more than {LONGEST:,} bytes")
        unfit = [Record(fields=key.fields, fault=fault) for key in keys if longest(key) > LONGEST]
        return [*unfit, *(record for chunk in chunks(fit) for record in self._rows(chunk))]

    def close(self) -> None:
        """Close the connection; the next fetch opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection._force_close()  # noqa: SLF001 - close() raises on a connection that is gone

    def _rows(self, keys: Sequence[Key]) -> Iterator[Record]:
        """Rows of some keys; where there are too many, half of the keys at a time, to find whose they are."""
        most = self.options.max_rows
        with self._lock:
            found = self._patiently(keys)
        if len(found) <= most:
            yield from found
        elif len(keys) > 1:
            half = len(keys) // 2
            yield from self._rows(keys[:half])
            yield from self._rows(keys[half:])
        else:
            fault = BadRecord(f"more than {most:,} rows for one key", help="raise `max_rows`")
            yield Record(fields=keys[0].fields, fault=fault)

    def _patiently(self, keys: Sequence[Key]) -> list[Record]:
        """The rows; a lost connection is made anew, once, and so it is with the secret of now after a refusal."""
        import pymysql

        tried: set[str] = set()
        while True:
            try:
                return self._query(keys, fresh="denied" in tried)
            except pymysql.MySQLError as error:
                kind, told = meaning(error).kind, problem(error, self.options.table)
            self.close()
            if kind in ("wrong", "slow") or kind in tried:
                raise told  # and not from the client's error, whose text and frames have the login
            tried.add(kind)
            if "lost" in tried:
                self.context.pause(1)

    def _query(self, keys: Sequence[Key], *, fresh: bool) -> list[Record]:
        import pymysql

        if self._connection is None:
            self._connection = self._connect(fresh=fresh)
        with reading(), self._connection.cursor() as cursor:
            if self._charsets is None:
                try:
                    return self._select(cursor, keys)
                except pymysql.MySQLError as error:
                    if error.args[0] not in UNHELD:
                        raise
                self._charsets = self._asked(charsets, cursor, self.options.table, [*keys[0].fields])
            kept = self._asked(held, cursor, keys, self._charsets) if self._charsets else []
            return self._select(cursor, kept) if kept else []

    def _asked(self, ask: Callable[..., T], *arguments: Any) -> T:
        self.context.count("mysql:Query")
        return ask(*arguments)

    def _select(self, cursor: Any, keys: Sequence[Key]) -> list[Record]:
        values = [value for key in keys for value in key.fields.values()]
        while True:
            limits = self.options.max_rows + 1, self.context.timeout() * STATEMENT_SHARE
            sql = select(self.options.table, self._fields, self._floats, keys, *limits)
            self._asked(cursor.execute, sql, values)
            names = [column[0] for column in cursor.description]
            if not (found := frozenset(rounded(cursor.description))):
                break
            self._fields, self._floats = names, self._floats | found
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for n, finish in finishers(cursor.description, self._floats).items():
            for row in rows:
                row[names[n]] = finish(row[names[n]])
        return [Record(fields=row) for row in rows]

    def _connect(self, *, fresh: bool) -> Any:
        import pymysql

        arguments = _login(self.context.secret(self.options.secret, fresh=fresh), self.options)
        self.context.count("mysql:Connect")
        seconds = self.context.timeout()
        limits = {"connect_timeout": min(seconds, CONNECT), "read_timeout": seconds, "write_timeout": seconds}
        settings: dict[str, Any] = {**self._security(arguments["host"]), **SETTINGS, **limits}
        with suppress(RuntimeError), reading():
            connection = pymysql.connect(**_revealed(arguments), **settings, conv=converters())
            connection.query("SET SESSION TRANSACTION READ ONLY")
            return connection
        message = "the MySQL server asks for the password by a method that needs TLS"
        raise GiveUp(message, code="no-tls", help="set `tls: encrypt`")

    def _security(self, host: Secret) -> dict[str, Any]:
        near = _loopback(host.reveal())
        mode = self.options.tls or ("verify" if self.options.ca else "off" if near else "encrypt")
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


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is, in any spelling that the system takes for one; None for a name."""
    import socket

    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    return getattr(found, "ipv4_mapped", None) or found


def _loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or bool(address and address.is_loopback)


def _local_to_the_link(host: str) -> bool:
    """Whether the host is where clouds keep credentials and settings, and no database ever is."""
    address = _address(host)
    return address is not None and (address.is_link_local or address in METADATA)


def _revealed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one.reveal() if isinstance(one, Secret) else one for name, one in arguments.items()}


def _login(secret: Secrets, options: MySQLOptions) -> dict[str, Any]:
    needed = (
        ("host", "username", "password")
        if "." in options.table
        else ("host", "username", "password", "dbname")
    )
    for name in needed:
        if not isinstance(secret.get(name), Secret) or not secret[name]:
            raise GiveUp(
                f"the secret `{options.secret}` has no text `{name}`", help=f"add `{name}` to the secret"
            )
    if _local_to_the_link(secret["host"].reveal()):
        message = f"the `host` of the secret `{options.secret}` is the address of a metadata service"
        raise GiveUp(message, code="wrong-host", help="set `host` to the address of the database")
    port = _port(secret.get("port", 3306))
    if port is None:
        raise GiveUp(f"the `port` of the secret `{options.secret}` is no number")
    return {
        "host": secret["host"],
        "port": port,
        "user": secret["username"],
        "password": secret["password"],
        "database": secret.get("dbname") if options.table.count(".") == 0 else None,
    }


def _port(given: Any) -> int | None:
    text = given.reveal() if isinstance(given, Secret) else str(given)
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else None


def _permissions(options: MySQLOptions, _use: Use) -> list[Statement]:
    name = options.secret
    # Secrets Manager adds a hyphen and six characters to the name of a secret in its ARN.
    secret = name if name.startswith("arn:") else arn("secretsmanager", f"secret:{name}-??????")
    why = "read the host, user and password of the database"
    return [Statement(actions=("secretsmanager:GetSecretValue",), resources=(secret,), why=why)]


def _calls(options: MySQLOptions, _use: Use) -> list[Calls]:
    secret = Calls(operation="secretsmanager:GetSecretValue", quantity="starts", once=options.secret)
    connect = Calls(operation="mysql:Connect", quantity="starts")
    return [secret, connect, Calls(operation="mysql:Query", quantity="keys", per=KEYS_PER_CALL)]


def _files(options: MySQLOptions) -> tuple[str, ...]:
    return (options.ca,) if options.ca else ()


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `mysql`."""
    return [
        Connector(
            name="mysql",
            summary="rows of a MySQL table, by key columns",
            options=MySQLOptions,
            lookup=MySQLLookup,
            keys_per_call=KEYS_PER_CALL,
            permissions=_permissions,
            calls=_calls,
            distributions=("pymysql",),
            files=_files,
        )
    ]
