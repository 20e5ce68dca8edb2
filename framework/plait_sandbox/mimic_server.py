"""mysql-mimic: tables behind MySQL's protocol that can only be read, for machines without MariaDB."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.mysql import LocalMysql


@contextlib.contextmanager
def serve(mysql: LocalMysql) -> Iterator[int]:
    """Serve the tables to the administrator from a thread; gives the port."""
    loop = asyncio.new_event_loop()
    server = _mimic_server(mysql)
    loop.run_until_complete(server.start_server(host=mysql.host, port=0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield int(server._server.sockets[0].getsockname()[1])  # noqa: SLF001 - nothing public has the port
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _mimic_server(mysql: LocalMysql) -> Any:
    try:
        from mysql_mimic import IdentityProvider, MysqlServer, NativePasswordAuthPlugin, User
    except ImportError as error:
        raise RuntimeError(
            'the sandbox needs MariaDB or mysql-mimic: pip install "plait[sandbox]"'
        ) from error

    class Users(IdentityProvider):  # type: ignore[misc]
        async def get_user(self, username: str) -> User | None:
            if username != mysql.user:
                return None
            secret = NativePasswordAuthPlugin.create_auth_string(mysql.password)
            return User(name=username, auth_string=secret, auth_plugin=NativePasswordAuthPlugin.name)

    class Server(MysqlServer):  # type: ignore[misc]
        async def _client_connected_cb(self, *streams: Any) -> None:
            # asyncio of Python 3.11 logs a traceback when the task of a client is cancelled, so this task ends as done.
            with contextlib.suppress(asyncio.CancelledError):
                await super()._client_connected_cb(*streams)

    return Server(session_factory=_session_class(mysql), identity_provider=Users())


def _session_class(mysql: LocalMysql) -> Any:
    from mysql_mimic import Session
    from sqlglot import exp
    from sqlglot.executor import execute

    class Tables(Session):  # type: ignore[misc]
        async def query(self, expression: Any, sql: str, attrs: dict[str, str]) -> Any:  # noqa: ARG002
            for table in expression.find_all(exp.Table):
                if not table.db:
                    table.set("db", exp.to_identifier(self.database))
            tables: dict[str, dict[str, Any]] = {}
            for (database, name), content in mysql.tables.items():
                rows = [dict(zip(content.columns, row, strict=True)) for row in content.tuples()]
                tables.setdefault(database, {})[name] = rows
            answer = execute(expression, schema=await self.schema(), tables=tables)
            return answer.rows, answer.columns

        async def schema(self) -> dict[str, Any]:
            schema: dict[str, Any] = {}
            for (database, name), content in mysql.tables.items():
                schema.setdefault(database, {})[name] = dict(content.columns)
            return schema

    return Tables


async def _close(server: Any) -> None:
    server._server.close()  # noqa: SLF001 - the public close waits for the clients
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
