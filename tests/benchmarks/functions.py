"""Functions side by side: plait's from its package, and awswrangler's, each in a bare Python with its own packages."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from integration.main_job.packages import packaged, unpacked
from kit.function.bare import RUNTIME, link, with_requirements
from kit.function.runtime import Function
from kit.shop import SPEC

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

WRANGLER = Path(__file__).parent / "peers" / "wrangler_function.py"
IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)")


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the runtime client to the first answer, and of a warm event: by the clock, and of CPU."""

    wall: float
    cpu: float
    warm_wall: float
    warm_cpu: float


@dataclass(frozen=True)
class Contender:
    """A function in its folder."""

    name: str
    folder: Path
    handler: str
    environment: Mapping[str, str]

    def start(self, python: str, events: Sequence[Any], shop: Mapping[str, str]) -> Start:
        """Start the function anew, with the first event, and give it the others warm."""
        with self.function(python, shop) as function:
            begin = time.perf_counter()
            _answered(function, events[0])
            wall, cpu = time.perf_counter() - begin, _cpu(function)
            warm = []
            for event in events[1:]:
                begun, used = time.perf_counter(), _cpu(function)
                _answered(function, event)
                warm.append((time.perf_counter() - begun, _cpu(function) - used))
        clocks, cpus = zip(*warm, strict=True)
        return Start(wall, cpu, sorted(clocks)[len(warm) // 2], sorted(cpus)[len(warm) // 2])

    def function(self, python: str, shop: Mapping[str, str]) -> Function:
        """The function, with nothing on its path but its folder."""
        usual = {"AWS_LAMBDA_LOG_LEVEL": "INFO", "PYTHONPATH": str(self.folder)}  # at DEBUG boto3 logs bodies
        environment = {**shop, **usual, **self.environment}
        return Function(environment, handler=self.handler, python=python, cwd=str(self.folder))

    def imports(self, python: str, shop: Mapping[str, str], within: str = "") -> Counter[str]:
        """Milliseconds that the start spends in each package, the time to prepare in plait's own; or in each module of one."""
        module = self.handler.rpartition(".")[0]
        environment = {**shop, "PYTHONPATH": str(self.folder), **self.environment}
        command = [python, "-X", "importtime", "-P", "-c", f"import awslambdaric.bootstrap, {module}"]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        microseconds: Counter[str] = Counter()
        for taken, module in IMPORT.findall(done.stderr):
            package, _, submodule = module.partition(".")
            if within in ("", package):
                microseconds[submodule if within and submodule else package] += int(taken)
        return Counter({package: taken // 1000 for package, taken in microseconds.items()})


def plait(folder: Path) -> Contender:
    """The main job's package, unpacked."""
    task = unpacked(packaged(SPEC, folder / "transactions.zip"), folder / "plait")
    environment = {"PLAIT_SPEC": "transactions.yaml", "AWS_LAMBDA_RUNTIME_API": "none yet"}
    return Contender("plait", task, "plait.aws_lambda.handler", environment)


def wrangler(folder: Path) -> tuple[Contender, Contender]:
    """Awswrangler's function with one session for all clients, and as it is written without a thought of that."""
    task = folder / "wrangler"
    task.mkdir()
    there = set(with_requirements(RUNTIME))
    for name in with_requirements(("awswrangler", "pymysql")):
        if name not in there:
            link(name, task)
    shutil.copy(WRANGLER, task)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(task)], check=False, capture_output=True)
    handler = f"{WRANGLER.stem}.handler"
    shared = Contender("awswrangler, one session", task, handler, {"ONE_SESSION": "yes"})
    return shared, Contender("awswrangler as written", task, handler, {})


def _answered(function: Function, event: Any) -> None:
    outcome = function.invoke(event)
    assert outcome.answer == {"batchItemFailures": []}, outcome


def _cpu(function: Function) -> float:
    """Seconds of CPU that the function's process has used: Linux has a clock for each process."""
    assert function.process is not None
    return time.clock_gettime((~function.process.pid << 3) | 2)
