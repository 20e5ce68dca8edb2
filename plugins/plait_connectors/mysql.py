"""Rows of a MySQL table, asked for by key columns."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from msgspec import Meta

from plait.plugin import BadRecord, Calls, Connector, GiveUp, Lookup, Record, Statement, hookimpl
from plait_connectors._aws import secret_arn
from plait_connectors._mysql_errors import COLLATION_ERRORS, as_plait_error, meaning, reading_answers
from plait_connectors._mysql_select import (
    MAX_KEY_BYTES,
    TABLE,
    charsets,
    chunks,
    longest_value,
    representable,
    select,
    table_names,
)
from plait_connectors._mysql_values import converters, examples, finishers, float_columns
from plait_connectors._sql_login import LoginOptions, is_on_this_host, login, revealed, tls_context, tls_mode

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plait.plugin import Context, Key, Secret

T = TypeVar("T")
DEFAULT_PORT = 3306
CONNECT_SECONDS = 10.0
SAMPLE_ROWS = 20
# The share of the time for a call after which the server stops a statement, before the client gives up.
STATEMENT_SHARE = 5 / 6
SESSION_SETTINGS = {
    "charset": "utf8mb4",
    "init_command": "SET SESSION time_zone = '+00:00'",
    "autocommit": True,
    "local_infile": False,
}


class MySQLOptions(LoginOptions, frozen=True, kw_only=True):
    """Options of the connector `mysql`."""

    table: Annotated[
        str,
        Meta(
            pattern=rf"^{TABLE}$",
            description="`table` or `database.table`",
            examples=["stores", "shop.stores"],
        ),
    ]
    max_rows: Annotated[int, Meta(ge=1, description="a key with more rows is a bad record")] = 100_000


class MySQLLookup(Lookup[MySQLOptions]):
    """Asks a table for many keys with one SELECT, over one connection."""

    keys_per_call = 1000
    gives_nested = False
    distributions = ("pymysql",)

    def __init__(self, options: MySQLOptions, context: Context | None = None) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._connection: Any = None
        self._tls: ssl.SSLContext | None = None
        self._fields: Iterable[str] | None = context.fields if context else None
        self._floats: frozenset[str] = frozenset()
        self._charsets: dict[str, str] | None = None

    def permissions(self) -> list[Statement]:
        """Return the right to read the secret, in whose ARN a hyphen and six characters follow its name."""
        secret = secret_arn(self.options.secret)
        why = "read the host, user and password of the database"
        return [Statement(actions=("secretsmanager:GetSecretValue",), resources=(secret,), why=why)]

    def calls(self) -> list[Calls]:
        """Return a login for each process, and one query for a thousand keys."""
        secret = self.options.secret
        login = Calls(operation="secretsmanager:GetSecretValue", quantity="starts", once=secret)
        connect = Calls(operation="mysql:Connect", quantity="starts")
        return [login, connect, Calls(operation="mysql:Query", quantity="keys", per=self.keys_per_call)]

    def local_files(self) -> tuple[str, ...]:
        """Return the file of certificates."""
        ca_file = self.options.ca_file()
        return (ca_file,) if ca_file else ()

    def remarks(self) -> Iterable[str]:
        """Tell how little TLS the options ask for."""
        return self.options.remarks()

    def prepare(self) -> None:
        """Load the driver, and make the client that reads the secret."""
        import pymysql  # noqa: F401 - loaded now, used when there are keys

        self.context.client("secretsmanager")

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """Return the rows that have these keys, and a fault for each key that no column can hold."""
        fault = BadRecord(f"a key of more than {MAX_KEY_BYTES:,} bytes", help="join on a shorter column")
        too_long = [
            Record(fields=key.fields, fault=fault) for key in keys if longest_value(key) > MAX_KEY_BYTES
        ]
        fitting = [key for key in keys if longest_value(key) <= MAX_KEY_BYTES]
        return [*too_long, *(record for chunk in chunks(fitting) for record in self._rows(chunk))]

    def sample(self) -> list[Record]:
        """Return some rows; of an empty table one with values of its types, but for texts, which may be anything."""
        with self._lock:
            return self._query_patiently(())

    def close(self) -> None:
        """Close the connection; the next fetch opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection._force_close()  # noqa: SLF001 - close() raises on a connection that is gone

    def _rows(self, keys: Sequence[Key]) -> Iterator[Record]:
        """Yield the rows of some keys; if there are too many, halve the keys until one key has too many."""
        max_rows = self.options.max_rows
        with self._lock:
            records = self._query_patiently(keys)
        if len(records) <= max_rows:
            yield from records
        elif len(keys) > 1:
            half = len(keys) // 2
            yield from self._rows(keys[:half])
            yield from self._rows(keys[half:])
        else:
            fault = BadRecord(f"more than {max_rows:,} rows for one key", help="raise `max_rows`")
            yield Record(fields=keys[0].fields, fault=fault)

    def _query_patiently(self, keys: Sequence[Key]) -> list[Record]:
        """Return the rows; reconnect once if the connection is lost, and once with the current secret if it is refused."""
        import pymysql

        tried: set[str] = set()
        while True:
            try:
                return self._query(keys, fresh="denied" in tried)
            except pymysql.MySQLError as error:
                remedy, plait_error = meaning(error).remedy, as_plait_error(error, self.options.table)
            self.close()
            if remedy in ("wrong", "slow") or remedy in tried:
                raise plait_error  # and not from the client's error, whose text and frames have the login
            tried.add(remedy)
            if "lost" in tried:
                self.context.pause(1)

    def _query(self, keys: Sequence[Key], *, fresh: bool) -> list[Record]:
        """Return the rows; if texts of the keys do not suit their columns, ask for those that do."""
        import pymysql

        if self._connection is None:
            self._connection = self._connect(fresh=fresh)
        with reading_answers(), self._connection.cursor() as cursor:
            if not keys:
                return self._sample(cursor)
            if self._charsets is None:
                try:
                    return self._select(cursor, keys)
                except pymysql.MySQLError as error:
                    if error.args[0] not in COLLATION_ERRORS:
                        raise
                self._charsets = self._counted(charsets, cursor, self.options.table, [*keys[0].fields])
            fitting = self._counted(representable, cursor, keys, self._charsets) if self._charsets else []
            return self._select(cursor, fitting) if fitting else []

    def _counted(self, query: Callable[..., T], *arguments: Any) -> T:
        """Count a query, and make it."""
        self.context.count("mysql:Query")
        return query(*arguments)

    def _sample(self, cursor: Any) -> list[Record]:
        records = self._select(cursor, ())
        return records or [Record(fields=examples(cursor.description))]

    def _select(self, cursor: Any, keys: Sequence[Key]) -> list[Record]:
        """Return the rows, asked for a second time if they have columns of type FLOAT that were not known yet."""
        values = [value for key in keys for value in key.fields.values()]
        while True:
            limits = (
                self.options.max_rows + 1 if keys else SAMPLE_ROWS,
                self.context.timeout() * STATEMENT_SHARE,
            )
            sql = select(self.options.table, self._fields, self._floats, keys, *limits)
            self._counted(cursor.execute, sql, values)
            names = [column[0] for column in cursor.description]
            if not (floats := frozenset(float_columns(cursor.description))):
                break
            self._fields, self._floats = names, self._floats | floats
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for position, finish in finishers(cursor.description, self._floats).items():
            for row in rows:
                row[names[position]] = finish(row[names[position]])
        return [Record(fields=row) for row in rows]

    def _connect(self, *, fresh: bool) -> Any:
        """Open a connection that only reads; `fresh` asks for the secret again."""
        from plait_connectors._mysql_connection import GuardedConnection

        secret = self.context.secret(self.options.secret, fresh=fresh)
        needs_database = len(table_names(self.options.table)) == 1
        arguments = login(self.options, secret, DEFAULT_PORT, needs_database=needs_database)
        self.context.count("mysql:Connect")
        seconds = self.context.timeout()
        limits = {
            "connect_timeout": min(seconds, CONNECT_SECONDS),
            "read_timeout": seconds,
            "write_timeout": seconds,
        }
        settings: dict[str, Any] = {**self._tls_settings(arguments["host"]), **SESSION_SETTINGS, **limits}
        with suppress(RuntimeError), reading_answers():
            connection = GuardedConnection(**revealed(arguments), **settings, conv=converters())
            connection.query("SET SESSION TRANSACTION READ ONLY")
            return connection
        message = "the MySQL server asks for the password by a method that needs TLS"
        raise GiveUp(message, code="no-tls", help="set `tls: encrypt`")

    def _tls_settings(self, host: Secret) -> dict[str, Any]:
        mode = tls_mode(host, self.options)
        guard = {"verified": mode == "verify", "on_this_host": is_on_this_host(host)}
        if mode == "off":
            return {"ssl_disabled": True, **guard}
        self._tls = self._tls or tls_context(mode, self.options.ca)
        return {"ssl": self._tls, **guard}


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `mysql`."""
    return [Connector("mysql", "rows of a MySQL table, by key columns", MySQLOptions, lookup=MySQLLookup)]
