"""Packages as tests use them: made by the command, unpacked, and the environment that Lambda gives them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.shop import Shop


def packaged(spec: Path, out: Path, *options: str, **how: Any) -> dict[str, Any]:
    """What `plait package` tells of the zip that it wrote; `how` is for the process."""
    command = [str(Path(sys.executable).parent / "plait"), "package", str(spec), "--here", "--out", str(out)]
    done = subprocess.run(
        [*command, *options, "-o", "json"], capture_output=True, text=True, check=False, **how
    )
    assert done.returncode == 0, done.stderr
    package: dict[str, Any] = json.loads(done.stdout)
    return package


def unpacked(package: dict[str, Any], folder: Path) -> Path:
    """The package, unpacked into a folder that was not there."""
    with zipfile.ZipFile(package["file"]) as archive:
        archive.extractall(folder)
    return folder


def environment(shop: Shop, task: Path, lake: str) -> dict[str, str]:
    """Nothing of this machine's but the way to the sandbox; Lambda imports from the folder of the task."""
    return {
        "PYTHONPATH": str(task),
        **shop.sandbox.environment(),
        "AWS_ENDPOINT_URL": shop.proxy.endpoint,
        "LAKE": f"s3://shop-lake/{lake}",
        "PLAIT_ENV_ALLOW": "LAKE",
        "PLAIT_SPEC": "transactions.yaml",
        # A runtime without zones of its own, as Lambda's is.
        "PYTHONTZPATH": "",
    }
