"""Specs with the lock that `plait package` writes beside them, without the package."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path

from plait import __version__
from plait.language.build import digest
from plait.language.lock import FORMAT_VERSION, Lock, LockedConnector, lock_file, lock_text, text_digest
from plait.language.yaml_reader import locate
from plait.plugin.registry import offer_of


def lock(spec: Path, **modules: str) -> None:
    """Write the lock of a spec that is valid; `modules` are those of connectors that are not installed here."""
    text = spec.read_bytes()
    source_map, problems = locate(text, str(spec))
    assert source_map is not None, problems
    document = source_map.value
    blocks = [*document["sources"].values(), document["sink"]]
    words = {block["connector"] for block in blocks}
    offers = {word: offer_of(word) for word in words - modules.keys()}
    connectors = {
        word: LockedConnector(distribution=offer.distribution, version=offer.version, module=offer.module)
        for word, offer in offers.items()
    }
    connectors |= {
        word: LockedConnector(distribution=word, version="1.0", module=module)
        for word, module in modules.items()
    }
    made = Lock(
        format_version=FORMAT_VERSION,
        plait=__version__,
        python="3",
        arch="x86_64",
        digest=digest(document),
        sha256=text_digest(text),
        connectors=connectors,
        distributions={},
        values=document,
    )
    lock_file(str(spec)).write_bytes(lock_text(made))


def locked(spec: Path) -> str:
    """The path of a copy of a spec that has its lock beside it."""
    return _locked_copy(spec.name, spec.read_bytes())


@cache
def _locked_copy(name: str, text: bytes) -> str:
    folder = tempfile.TemporaryDirectory(prefix="plait-locked-")
    atexit.register(folder.cleanup)
    copy = Path(folder.name, name)
    copy.write_bytes(text)
    lock(copy)
    return str(copy)
