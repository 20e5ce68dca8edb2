"""The process that `plait_sandbox.aws` starts: moto's server, which prints its address and ends with its parent."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


def serve() -> None:
    """Serve AWS until standard input ends."""
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _keep_old_log_events()
    _count_messages_quickly()
    _list_services_once()
    _lock_tables()
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


def _keep_old_log_events() -> None:
    # moto drops events older than 14 days, as AWS does, but the dates of the sample are fixed.
    from moto.logs.models import LogsBackend

    def put(
        self: Any, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> tuple[str, Any]:
        return self.groups[log_group_name].put_log_events(log_stream_name, log_events), {}

    LogsBackend.put_log_events = put  # type: ignore[method-assign]


def _count_messages_quickly() -> None:
    # moto asks for the time once a message of the queue at each send, and more often at each receive: this is fast.
    from moto.core.utils import unix_time_millis
    from moto.sqs import models

    def milliseconds(dt: datetime | None = None) -> float:
        return unix_time_millis(dt) if dt else time.time() * 1000

    models.unix_time_millis = milliseconds  # type: ignore[attr-defined]
    models.SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True  # type: ignore[method-assign]


def _list_services_once() -> None:
    # moto lists the services from its folder at each request.
    from moto import backends

    services = frozenset(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services


def _lock_tables() -> None:
    # moto takes an older version of a table for the newest, so that the second of two changes undoes the first.
    from moto.core.exceptions import JsonRESTError
    from moto.glue.responses import GlueResponse

    update, lock = GlueResponse.update_table, threading.Lock()

    def update_table(self: Any) -> Any:
        with lock:
            name = self.parameters.get("DatabaseName"), self.parameters.get("TableInput")["Name"]
            meant, there = self.parameters.get("VersionId"), self.glue_backend.get_table(*name)
            if meant is not None and meant != str(max(map(int, there.versions))):
                raise JsonRESTError("ConcurrentModificationException", "another version of the table")
            return update(self)

    GlueResponse.update_table = update_table  # type: ignore[method-assign]


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    serve()
