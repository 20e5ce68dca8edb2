"""What `plait validate` loads, which decides how long it takes: no more than its work needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from kit.paths import ROOT

SPEC = ROOT / "pipelines" / "transactions.yaml"
SCRIPT = """
import json, sys
before = set(sys.modules)
from plait.cli.main import main
main(["validate", sys.argv[1]], standalone_mode=False)
print(json.dumps(sorted(set(sys.modules) - before)))
"""
MOST, OURS = 325, 80
NEVER = """
    asyncio boto3 botocore concurrent ctypes difflib http logging mmh3 multiprocessing obstore pandas pyarrow
    pymysql rich sqlite3 ssl subprocess xml zoneinfo plait.testing plait.engine.context plait.engine.engine plait.storage.objects
"""


def test_validate_loads_few_modules_and_none_that_only_a_run_needs(figure: Callable[[str], None]) -> None:
    """`email` comes with importlib.metadata, by which connectors are found; `jsonschema` brings about 70 modules."""
    command = [sys.executable, "-P", "-c", SCRIPT, str(SPEC)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    folders = {name.rpartition(".")[0] for name in loaded}
    ours = [name for name in loaded if name.startswith("plait") and name not in folders]
    figure(f"plait validate loads {len(loaded)} modules, {len(ours)} of them ours")
    names = {name.partition(".")[0] for name in loaded} | set(loaded)
    assert sorted(names & set(NEVER.split())) == []
    assert len(loaded) <= MOST
    assert len(ours) <= OURS
