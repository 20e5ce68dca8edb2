"""Run a program over orders, whose paths come as JSON; its seconds, without what it imports, go out as JSON."""

from __future__ import annotations

import importlib
import json
import sys
import time


def main() -> None:
    """Import the module that is named, then time its `run`."""
    module = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}")
    paths = json.load(sys.stdin)
    wall, cpu = time.perf_counter(), time.process_time()
    module.run(paths)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
