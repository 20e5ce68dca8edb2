"""What `spark-submit` starts for a backfill: each batch of the plan without a marker runs in an executor.

`plait package --for spark` writes this file beside the zip that has all else; until that is unpacked, Spark alone is there.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import zipfile
from argparse import ArgumentParser
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import SparkContext, SparkFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def use_package() -> Path:
    """Import from the package, unpacked once a host, since Python loads no library of C from a zip; return its folder."""
    spec = find_spec("plait")
    if spec is None or spec.origin is None:
        raise RuntimeError("the zip of `plait package --for spark` is not here: pass it by `--py-files`")
    home = Path(spec.origin).parents[1]
    if home.is_dir():
        return home
    folder = Path(SparkFiles.getRootDirectory()).absolute() / "plait-package"
    if not folder.is_dir():
        draft = Path(tempfile.mkdtemp(dir=folder.parent))
        with zipfile.ZipFile(home) as archive:
            archive.extractall(draft)
        try:
            draft.rename(folder)
        except OSError:  # another process of this host was first
            shutil.rmtree(draft)
    sys.path[:] = [str(folder), *(path for path in sys.path if Path(path).name != home.name)]
    python, here = json.loads(next(folder.glob("*.lock.json")).read_text())["python"], sys.version_info
    if python != f"{here.major}.{here.minor}":
        message = (
            f"the package is for Python {python}, and this is {here.major}.{here.minor}: set `PYSPARK_PYTHON`"
        )
        raise RuntimeError(message)
    return folder


def run_in_executor(number: int, state: str, rates: dict[str, float], region: str | None) -> Any:
    """Run a batch, which leaves its marker in the state, and return what became of it."""
    folder = use_package()
    use_region(region)
    from plait.backfill.spark import run_in_process

    return run_in_process(folder, state, rates, number)


def use_region(region: str | None) -> None:
    """Call the services of this region, unless the environment names one."""
    if region:
        os.environ.setdefault("AWS_DEFAULT_REGION", region)


def main() -> int:
    """Run what is left of a plan, print the report as JSON, and return the exit code."""
    parser = ArgumentParser(allow_abbrev=False)
    parser.add_argument("--state", required=True, help="the plan's folder, as `plait backfill` prints it")
    parser.add_argument("--max-rate", default="", help="calls a second of all executors: s3=1000,logs=5")
    parser.add_argument("--aws-region", help="where the services are, if the environment does not say it")
    options, _ = parser.parse_known_args()  # Glue adds some of its own
    context = SparkContext.getOrCreate()
    folder = use_package()
    use_region(options.aws_region)
    from plait.backfill.spark import drive

    def run(numbers: Sequence[int], rates: dict[str, float]) -> Iterable[Any]:
        work = partial(run_in_executor, state=options.state, rates=rates, region=options.aws_region)
        return context.parallelize(numbers, len(numbers)).map(work).collect() if numbers else ()

    return drive(context, run, folder, options.state, options.max_rate)


if __name__ == "__main__":
    sys.exit(main())
