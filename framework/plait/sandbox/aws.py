"""An AWS of one's own: moto's server, in a process that ends with the one that started it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running server; close it with `stop` or by leaving `with`."""

    endpoint: str
    process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """Return the variables that send every AWS client here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def stop(self) -> None:
        """End the server and forget what it holds."""
        self.process.kill()
        self.process.communicate()


def start_aws() -> LocalAws:
    """Start moto's server on a free port of this machine."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        raise RuntimeError('the sandbox needs moto: pip install "plait[sandbox]"')
    command = [sys.executable, "-P", "-m", __name__]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    endpoint = process.stdout.readline().strip() if process.stdout else ""
    if not endpoint:
        process.communicate()
        raise RuntimeError(f"moto's server did not start: exit code {process.returncode}")
    return LocalAws(endpoint, process)


def _serve() -> None:
    import logging

    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _keep_old_log_events()
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


def _keep_old_log_events() -> None:
    # Like AWS, moto drops events older than 14 days, and the sample has fixed dates.
    from moto.logs.models import LogsBackend

    def put(
        self: Any, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> tuple[str, Any]:
        return self.groups[log_group_name].put_log_events(log_stream_name, log_events), {}

    LogsBackend.put_log_events = put  # type: ignore[method-assign]


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve()
