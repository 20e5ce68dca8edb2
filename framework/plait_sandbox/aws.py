"""A local AWS: moto's server, in a process that ends with the one that started it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plait.problems.errors import GiveUp

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-west-1"
ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "",
    "AWS_ACCESS_KEY_ID": "sandbox",
    "AWS_SECRET_ACCESS_KEY": "sandbox",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
SERVER_MODULE = "plait_sandbox.moto_server"


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running server."""

    endpoint: str
    process: subprocess.Popen[str]

    def environment(self) -> dict[str, str]:
        """The variables that send every AWS client here."""
        return {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.endpoint}

    def stop(self) -> None:
        """End the server and forget what it holds."""
        self.process.kill()
        self.process.communicate()


@contextmanager
def start_aws(server: str = SERVER_MODULE) -> Iterator[LocalAws]:
    """Start moto's server on a free port of this machine; `server` is the module that serves it.

    Raises GiveUp if moto is not installed, RuntimeError if it does not start.
    """
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        raise GiveUp(
            "the sandbox needs moto", code="cannot-start", help="install plait with its extra `sandbox`"
        )
    command = [sys.executable, "-P", "-m", server]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    endpoint = process.stdout.readline().strip() if process.stdout else ""
    if not endpoint:
        process.communicate()
        raise RuntimeError(f"moto's server did not start: exit code {process.returncode}")
    aws = LocalAws(endpoint, process)
    try:
        yield aws
    finally:
        aws.stop()
