"""A spec with its lock beside it, as the function of a package has it, without the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def locked_copy(spec: Path, folder: Path) -> Path:
    """Copy a valid spec to a folder and write its lock there; raises InvalidSpec if it has problems."""
    from plait.deploy.package import make_lock
    from plait.deploy.requirements import running_target
    from plait.language.lock import lock_file, lock_text
    from plait.language.validate import validate
    from plait.pipeline.invalid_spec import InvalidSpec

    text = spec.read_bytes()
    validated = validate(text, str(spec))
    if validated.spec is None or validated.source_map is None:
        raise InvalidSpec(str(spec), validated.problems, validated.text)
    copy = folder / spec.name
    copy.write_bytes(text)
    lock = make_lock(validated.spec, text, validated.source_map.value, running_target(), {})
    lock_file(str(copy)).write_bytes(lock_text(lock))
    return copy
