"""Texts validated and planned in processes of their own, each text within a second of CPU and 200 MB.

A text that takes longer ends its process by a signal, and one that takes more memory ends in a MemoryError: both are
answers like any other, and the next text is asked of a new process.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from plait.language.build import usable_connector
from plait.language.validate import validate
from plait.plan.plan import plan
from plait.plugin.registry import offers

Verdict = dict[str, Any]
SECONDS, BYTES = 1.0, 200 << 20
PROCESSES = 2
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def judge(texts: Sequence[str]) -> list[Verdict]:
    """The verdict on each text: `problems`, `cpu` (s), `peak` (bytes), or a `trace`.

    `valid` is a text without errors; it was `planned`, unless it `waits` for the value of a parameter.
    """
    size = -(-len(texts) // PROCESSES) or 1
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        return [verdict for part in pool.map(_part, parts) for verdict in part]


def unmeasured() -> dict[str, str]:
    """The environment of a process that has no room, or no time, to note its own coverage."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def _part(texts: Sequence[str]) -> list[Verdict]:
    """The verdicts of one process, and of others after it where it was ended."""
    verdicts: list[Verdict] = []
    while len(verdicts) < len(texts):
        lines = "".join(json.dumps(text) + "\n" for text in texts[len(verdicts) :])
        command = [sys.executable, "-P", __file__]
        done = subprocess.run(
            command, input=lines, env=unmeasured(), capture_output=True, text=True, check=False
        )
        verdicts += map(json.loads, done.stdout.splitlines())
        if done.returncode:
            verdicts.append({"trace": f"the process ended by {-done.returncode}: {done.stderr[-2000:]}"})
    return verdicts


def main() -> None:
    """Answer every line of standard input by one of standard output."""
    for offer in offers():
        usable_connector(offer.word)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        sys.stdout.write(json.dumps(_verdict(json.loads(line))) + "\n")
        sys.stdout.flush()


def _verdict(text: str) -> Verdict:
    begin = time.process_time()
    try:
        validated = validate(text, "spec.yaml")
        if validated.spec:
            plan(validated.spec)
    except BaseException:  # noqa: BLE001 - whatever it is, it is the verdict
        return {"trace": traceback.format_exc()}
    problems = [{"code": p.code, "line": p.span and p.span.line, "help": p.help} for p in validated.problems]
    used = {"cpu": time.process_time() - begin, "peak": _peak()}
    waits = validated.spec is None and not validated.errors and bool(validated.unset)
    return {
        "problems": problems,
        "valid": not validated.errors,
        "planned": bool(validated.spec),
        "waits": waits,
        **used,
    }


def _peak() -> int:
    """The most memory that this process had so far, in bytes."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    match = PEAK.search(
        Path("/proc/self/status").read_text("ascii")
    )  # getrusage tells of the parent, before exec
    return int(match[1]) * 1024 if match else 0


if __name__ == "__main__":
    main()
