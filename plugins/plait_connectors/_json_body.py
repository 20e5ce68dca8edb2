"""Say what a JSON document has where it has none of the fields that a spec takes from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.plugin import excerpt, no_such_field, outline, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.plugin import BadRecord


def absent(fields: Mapping[str, Any], data: bytes, wanted: Sequence[str]) -> BadRecord:
    """The bad record of a document without any of the wanted fields; of a large one, `fields` need not be all."""
    members = dict(outline(data)) or fields
    deeper = next(_deeper(members, wanted), None)
    return no_such_field(members, wanted, help=deeper)


def _deeper(members: Mapping[str, Any], wanted: Sequence[str]) -> Iterator[str]:
    """What to write where the wanted fields stand deeper, or records stand in a list."""
    inner = [(place_of(name), value) for name, value in members.items()]
    inner += [
        (f"{place}.{place_of(name)}", value)
        for place, mapping in inner
        if isinstance(mapping, dict)
        for name, value in mapping.items()
    ]
    for place, value in inner:
        if isinstance(value, dict):
            yield from (
                f"write {excerpt(f'from: {place}.{place_of(name)}')}" for name in wanted if name in value
            )
    for place, value in inner:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{excerpt(f'records: {place}')} reads each mapping of that list as a record"
