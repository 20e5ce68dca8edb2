"""What of a distribution a function never opens, and Arrow's shared libraries that nothing loads."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from plait.deploy.distributions import Needed

NEVER = re.compile(r"(^|/)(__pycache__|tests)/|\.(pyc|pyi|pyx|pxd|pxi|c|cc|cpp|h|hpp|a)$|/py\.typed$")
KEPT_METADATA = re.compile(
    r"/(METADATA|entry_points\.txt|(licen[cs]es?|NOTICE|COPYING)[^/]*(/.*)?)$", re.IGNORECASE
)
OF_THE_COMMAND_LINE = ("plait/cli/*", "plait/deploy/*", "plait/testing/*", "plait_sandbox/*")
# Parts of Arrow that neither plait nor its connectors import.
ARROW_PARTS = (
    "azurefs|benchmark|cffi|conftest|cuda|feather|flight|gandiva|gcsfs|hdfs|jvm|orc|parquet_encryption"
    "|pyarrow_cpp_tests|s3fs|substrait"
)
ARROW_DATASETS = "dataset(_orc|_parquet|_parquet_encryption)?"
ARROW_LIBRARY = re.compile(r"^pyarrow/(lib[a-z][^/]*\.so(\.\d+)*)$")


def trimmed(files: Mapping[str, Path], needed: Iterable[Needed]) -> dict[str, Path]:
    """The files, by their path in the package, without what a function never opens.

    Arrow's datasets stay where another distribution than plait requires Arrow.
    """
    others = any("pyarrow" in one.requires for one in needed)
    parts = ARROW_PARTS if others else f"{ARROW_PARTS}|{ARROW_DATASETS}"
    unused = re.compile(rf"^pyarrow/(src/|(_|libarrow_python_)?({parts})\.)")
    return _without_idle({n: file for n, file in files.items() if _opened(n) and not unused.match(n)})


def _opened(name: str) -> bool:
    if name.partition("/")[0].endswith(".dist-info"):
        return KEPT_METADATA.search(name) is not None
    if any(fnmatch(name, pattern) for pattern in OF_THE_COMMAND_LINE):
        return False
    return NEVER.search(name) is None


def _without_idle(files: Mapping[str, Path]) -> dict[str, Path]:
    """Leave out each of Arrow's libraries whose name stands in no extension module, nor in a library that does."""
    libraries = {found[1]: name for name in files if (found := ARROW_LIBRARY.match(name))}
    waiting = [
        n for n in files if n.startswith("pyarrow/") and n.endswith(".so") and n not in libraries.values()
    ]
    loaded: set[str] = set()
    while waiting:
        data = files[waiting.pop()].read_bytes()
        named = {name for short, name in libraries.items() if b"\0" + short.encode() + b"\0" in data}
        waiting += named - loaded
        loaded |= named
    idle = set(libraries.values()) - loaded
    return {name: file for name, file in files.items() if name not in idle}
