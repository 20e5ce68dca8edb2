"""mysql-mimic: the table of stores behind MySQL's protocol, for machines without MariaDB."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMN_TYPES = {"store_id": "BIGINT", "name": "VARCHAR", "city": "VARCHAR"}
Tables = dict[str, list[dict[str, Any]]]


def serve(host: str, user: str, password: str, tables: Tables) -> tuple[int, Callable[[], None]]:
    """Serve the tables from a thread; return the port and a function that ends the server."""
    loop = asyncio.new_event_loop()
    server = _mimic_server(user, password, tables)
    loop.run_until_complete(server.start_server(host=host, port=0))
    port = int(server._server.sockets[0].getsockname()[1])  # noqa: SLF001 - nothing public has the port
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    return port, stop


def _mimic_server(user: str, password: str, tables: Tables) -> Any:
    try:
        from mysql_mimic import IdentityProvider, MysqlServer, NativePasswordAuthPlugin, User
    except ImportError as error:
        raise RuntimeError(
            'the sandbox needs MariaDB or mysql-mimic: pip install "plait[sandbox]"'
        ) from error

    class Users(IdentityProvider):  # type: ignore[misc]
        async def get_user(self, username: str) -> User | None:
            if username != user:
                return None
            secret = NativePasswordAuthPlugin.create_auth_string(password)
            return User(name=user, auth_string=secret, auth_plugin=NativePasswordAuthPlugin.name)

    class Server(MysqlServer):  # type: ignore[misc]
        async def _client_connected_cb(self, *streams: Any) -> None:
            # asyncio of Python 3.11 logs a traceback when the task of a client is cancelled, so this task ends as done.
            with contextlib.suppress(asyncio.CancelledError):
                await super()._client_connected_cb(*streams)

    return Server(session_factory=_session_class(tables), identity_provider=Users())


def _session_class(tables: Tables) -> Callable[[], Any]:
    from mysql_mimic import Session
    from sqlglot.executor import execute

    schema = {"stores": {"stores": COLUMN_TYPES}}

    class Stores(Session):  # type: ignore[misc]
        async def query(self, expression: Any, sql: str, attrs: dict[str, str]) -> Any:  # noqa: ARG002
            answer = execute(expression, schema=schema, tables={"stores": tables})
            return answer.rows, answer.columns

        async def schema(self) -> dict[str, Any]:
            return schema

    return Stores


async def _close(server: Any) -> None:
    server._server.close()  # noqa: SLF001 - the public close waits for the clients
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
