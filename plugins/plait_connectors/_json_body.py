"""Say what a JSON document has where it has none of the fields that a spec takes from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.plugin import BadRecord, excerpt, no_such_field, outline, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def absent(fields: Mapping[str, Any], data: bytes, wanted: Sequence[str]) -> BadRecord:
    """The bad record of a document without any of the wanted fields; of a large one, `fields` need not be all."""
    members = dict(outline(data)) or fields
    deeper = next(_deeper(members, wanted), None)
    return no_such_field(members, wanted, help=deeper)


def no_list(document: Any, data: bytes, place: str) -> BadRecord:
    """The bad record of a document without a list at a place; its help names a list that is there, one that is alike first."""
    message = "no list at the top level" if place == "list" else f"no list at `{place}`"
    fields = document if isinstance(document, dict) else {"list": document}
    lists = [
        other
        for other, value in _inner(dict(outline(data)) or fields)
        if isinstance(value, list) and (not value or isinstance(value[0], dict))
    ]
    if not lists:
        return BadRecord(message, help="`records` is where the list of records stands")
    near = next((other for other in lists if other.casefold() == place.casefold()), lists[0])
    return BadRecord(message, help=f"write {excerpt(f'records: {near}')}: a list stands there")


def _inner(members: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The places of a document's members and of those of its mappings, each with its value."""
    inner = [(place_of(name), value) for name, value in members.items()]
    return inner + [
        (f"{place}.{place_of(name)}", value)
        for place, mapping in inner
        if isinstance(mapping, dict)
        for name, value in mapping.items()
    ]


def _deeper(members: Mapping[str, Any], wanted: Sequence[str]) -> Iterator[str]:
    """What to write where the wanted fields stand deeper, or records stand in a list."""
    inner = _inner(members)
    for place, value in inner:
        if isinstance(value, dict):
            yield from (
                f"write {excerpt(f'from: {place}.{place_of(name)}')}" for name in wanted if name in value
            )
    for place, value in inner:
        if isinstance(value, str) and value.startswith("{"):
            yield f"decode {excerpt(place)} by `json`: its text is JSON, as in an envelope"
    for place, value in inner:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{excerpt(f'records: {place}')} reads each mapping of that list as a record"
