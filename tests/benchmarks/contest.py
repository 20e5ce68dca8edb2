"""Programs side by side on one sandbox, each in a process of its own: what they took, asked for and wrote."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kit.network.proxy import Proxy
from kit.paths import ROOT
from kit.servers.buckets import contents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plait_sandbox.sandbox import Sandbox

PEERS = ROOT / ".tools" / "peers" / "bin" / "python"


@dataclass(frozen=True)
class Program:
    """A program of `peers`: over how many orders it is timed, how often, and over how many its calls are counted."""

    name: str
    module: str
    timed: int
    counted: int
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
    rounds: int = 1

    def seconds(self, sandbox: Sandbox, keys: Sequence[str]) -> dict[str, float]:
        """Seconds of the program over these orders, which it wrote to a lake of its own, and nothing else."""
        return self._run(sandbox, keys, {})

    def calls(self, sandbox: Sandbox, keys: Sequence[str]) -> int:
        """How many requests the servers of AWS got for these orders."""
        with Proxy(sandbox.aws.endpoint) as proxy:
            self._run(sandbox, keys, {"AWS_ENDPOINT_URL": proxy.endpoint})
            return proxy.calls.total()

    def _run(self, sandbox: Sandbox, keys: Sequence[str], way: Mapping[str, str]) -> dict[str, float]:
        lake = f"{self.module}-{uuid4().hex}"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {
            **plain,
            **sandbox.environment(),
            "PYTHONPATH": str(ROOT / "tests"),
            "LAKE": f"s3://shop-lake/{lake}",
            "PLAIT_ENV_ALLOW": "LAKE",
            **self.environment,
            **way,
        }
        done = subprocess.run(
            [self.python, "-P", "-m", "benchmarks.peers.run", self.module],
            input=json.dumps([f"s3://shop-raw/{key}" for key in keys]),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert rows(sandbox.client("s3"), lake) == len(keys)
        seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return seconds


def rows(client: Any, lake: str) -> int:
    """The rows of orders in a lake."""
    from pyarrow import parquet

    files = contents(client, "shop-lake", f"{lake}/")
    orders = (body for key, body in files.items() if "/transactions/" in key and key.endswith(".parquet"))
    return sum(parquet.read_metadata(io.BytesIO(body)).num_rows for body in orders)
