"""A run that is told to end leaves whole files, and nothing half-written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SPEC = """
plait: 1
name: orders
sources: {{orders: {{connector: json, path: "{folder}/in/*.json", columns: {{n: bigint}}}}}}
sink: {{connector: parquet, path: "{folder}/out/"}}
"""


@pytest.mark.parametrize(("number", "word"), [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupted")])
def test_a_signal_ends_a_run_with_one_word_and_no_temporary_file(
    tmp_path: Path, number: signal.Signals, word: str
) -> None:
    (tmp_path / "in").mkdir()
    for n in range(2_000):
        (tmp_path / "in" / f"{n}.json").write_text(f'{{"n": {n}}}')
    (tmp_path / "orders.yaml").write_text(SPEC.format(folder=tmp_path))
    command = [str(Path(sys.executable).with_name("plait")), "run", str(tmp_path / "orders.yaml"), "--all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not [*tmp_path.glob("out/*.parquet")] and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 128 + number
    assert errors.splitlines()[-1] == word
    assert "Traceback" not in errors
    written = [file.name for file in (tmp_path / "out").iterdir()]
    assert 0 < len(written) < 2_000
    assert not [name for name in written if name.startswith(".plait-")]
