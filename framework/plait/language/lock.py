"""The lock of a package: the spec as it was checked when the package was made, and the versions it was checked with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from plait.plugin import GiveUp

FORMAT_VERSION = 1
PACKAGE_AGAIN = "run `plait package`, and deploy what it made"


class LockedConnector(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution and module of the connector that a word stood for."""

    distribution: str
    version: str
    module: str


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a spec, with what they were checked with.

    `sha256` is that of the spec's text, `digest` that of its values, both hexadecimal; `distributions` are versions by
    name.
    """

    format_version: int
    plait: str
    python: str
    arch: str
    digest: str
    sha256: str
    connectors: dict[str, LockedConnector]
    distributions: dict[str, str]
    values: dict[str, Any]


def lock_file(spec: str) -> Path:
    """The path of a spec's lock, beside its file."""
    return Path(spec).with_suffix(".lock.json")


def text_digest(text: bytes) -> str:
    """The SHA-256 of a spec's text, as hexadecimal text."""
    return hashlib.sha256(text).hexdigest()


def lock_text(lock: Lock) -> bytes:
    """The lock as JSON; the same lock gives the same bytes."""
    return json.dumps(msgspec.to_builtins(lock), indent=1).encode()


def read_lock(spec: str, version: str) -> Lock:
    """Read the lock of a spec's file.

    Raises GiveUp if there is none, or it was made from another text, or by another version of plait than `version`;
    OSError if the spec cannot be read.
    """
    text_of_spec = Path(spec).read_bytes()
    try:
        text = lock_file(spec).read_bytes()
    except FileNotFoundError:
        message = f"`{spec}` has no lock beside it, so nothing says that it was checked"
        raise GiveUp(message, code="no-lock", help=PACKAGE_AGAIN) from None
    try:
        lock = msgspec.convert(json.loads(text), Lock)
    except ValueError:
        raise GiveUp(f"the lock of `{spec}` cannot be read", code="broken-lock", help=PACKAGE_AGAIN) from None
    if lock.sha256 != text_digest(text_of_spec):
        raise GiveUp(f"`{spec}` is not the spec that was packaged", code="spec-changed", help=PACKAGE_AGAIN)
    if lock.plait != version:
        message = f"`{spec}` was packaged by plait {lock.plait}, this is {version}"
        raise GiveUp(message, code="spec-changed", help=PACKAGE_AGAIN)
    return lock
