"""Leave out files of distributions that a function never opens, and Arrow's libraries that nothing loads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NEVER_OPENED = re.compile(r"(^|/)(__pycache__|tests)/|\.(pyc|pyi|pyx|pxd|pxi|c|cc|cpp|h|hpp|a)$|/py\.typed$")
NEEDED_METADATA = re.compile(
    r"/(METADATA|entry_points\.txt|(licen[cs]es?|NOTICE|COPYING)[^/]*(/.*)?)$", re.IGNORECASE
)
# What only people need of plait, and what checks a spec: a function builds the one that was checked when it was packaged.
FOR_PEOPLE = re.compile(
    r"plait_sandbox/|plait/(cli|deploy|testing|pipeline|language/(checks|shape))/|plait/problems/pages\."
    r"|plait/language/(finding|parameter_checks|schema|secrets|structure|validate|wording|yaml_\w+)\.py$"
)
OVER_HISTORY = "plait/backfill/"  # what Spark runs, and the function does not
# Parts of Arrow that neither plait nor its connectors import.
ARROW_PARTS = (
    "azurefs|benchmark|cffi|conftest|cuda|feather|flight|gandiva|gcsfs|hdfs|jvm|orc|parquet_encryption"
    "|pyarrow_cpp_tests|s3fs|substrait"
)
ARROW_DATASETS = "dataset(_orc|_parquet|_parquet_encryption)?"
ARROW_LIBRARY = re.compile(r"^pyarrow/(lib[a-z][^/]*\.so(\.\d+)*)$")


def trim(files: Mapping[str, Path], *, datasets: bool = False, backfill: bool = False) -> dict[str, Path]:
    """Leave out the files, by their path in the package, that a function never opens.

    With `datasets` Arrow's stay, with `backfill` what Spark runs.
    """
    parts = ARROW_PARTS if datasets else f"{ARROW_PARTS}|{ARROW_DATASETS}"
    unused = re.compile(rf"^pyarrow/(src/|(_|libarrow_python_)?({parts})\.)")
    return _without_unused_libraries(
        {
            name: file
            for name, file in files.items()
            if _is_opened(name) and not unused.match(name) and (backfill or not name.startswith(OVER_HISTORY))
        }
    )


def _is_opened(name: str) -> bool:
    """Whether a function may open the file of this path in the package."""
    if name.partition("/")[0].endswith(".dist-info"):
        return NEEDED_METADATA.search(name) is not None
    return not FOR_PEOPLE.match(name) and not NEVER_OPENED.search(name)


def _without_unused_libraries(files: Mapping[str, Path]) -> dict[str, Path]:
    """Leave out each library of Arrow that no extension module names, directly or through another library.

    The name of a library that is linked stands in the binary between two zero bytes.
    """
    libraries = {match[1]: name for name in files if (match := ARROW_LIBRARY.match(name))}
    extensions = [name for name in files if name.startswith("pyarrow/") and name.endswith(".so")]
    waiting = [name for name in extensions if name not in libraries.values()]
    loaded: set[str] = set()
    while waiting:
        data = files[waiting.pop()].read_bytes()
        linked = {name for short, name in libraries.items() if b"\0" + short.encode() + b"\0" in data}
        waiting += linked - loaded
        loaded |= linked
    unused = set(libraries.values()) - loaded
    return {name: file for name, file in files.items() if name not in unused}
