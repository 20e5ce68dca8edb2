"""A spec with one node changed, or one letter: what the checker must answer for, mutant by mutant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from typing import Any

Place = tuple[Any, ...]
NOTHING = "\ue000"
OTHERS: tuple[Any, ...] = (
    "text", "", 7, -1, 7.5, 10**30, True, None, NOTHING, [], ["text"], {}, {"some": "text"}
)  # fmt: skip


class Again(str):
    """A key that may stand twice in a mapping, as it may in a file."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def places(node: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every entry of a mapping or list, however deep."""
    for key, value in entries(node):
        yield (*place, key)
        yield from places(value, (*place, key))


def entries(node: Any) -> Iterator[tuple[Any, Any]]:
    """The keys and values of a mapping, the numbers and values of a list."""
    yield from node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()


def at(node: Any, place: Place) -> Any:
    """The value that stands at a place."""
    for step in place:
        node = node[step]
    return node


def changed(root: Any, place: Place, change: Callable[[Any, Any], Any]) -> Any:
    """A copy in which `change` was done to the mapping or list that holds a place; the rest is shared."""
    holder = mutant = copy(root)
    for step in place[:-1]:
        holder[step] = copy(holder[step])
        holder = holder[step]
    change(holder, place[-1])
    return mutant


def replaced(root: Any, place: Place, other: Any) -> Any:
    """A copy with another value at a place."""
    return changed(root, place, partial(put, other=other))


def written(mutant: Any) -> str:
    """The text of a mutant, an entry on each line."""
    return json.dumps(mutant, indent=1, ensure_ascii=False).replace(f'"{NOTHING}"', "")


def mutants(root: Any, place: Place) -> Iterator[tuple[str, Any]]:
    """The root with the node of a place deleted, renamed, duplicated, or of another kind."""
    value = at(root, place)
    yield "delete", changed(root, place, lambda parent, key: parent.pop(key))
    yield "twice", changed(root, place, twice)
    if isinstance(place[-1], str):
        yield "rename", changed(root, place, partial(rename, new=f"{place[-1]}x"))
        yield "copy", changed(root, place, lambda parent, key: parent.update({f"{key}_2": parent[key]}))
    scalar = not isinstance(value, (dict, list))
    others = [*OTHERS, [value], {"some": value}, *([str(value)] if scalar else [])]
    for other in others:
        if (type(other), other) != (type(value), value):
            yield f"= {shown(other)}", replaced(root, place, other)


def shown(value: Any) -> str:
    """A value on one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False).replace(f'"{NOTHING}"', "")
    return text if len(text) <= 40 else text[:39] + "…"


def put(parent: Any, key: Any, other: Any) -> None:
    """Replace a value."""
    parent[key] = other


def rename(parent: Any, key: str, new: str) -> None:
    """Call a key otherwise; it stays where it stood."""
    pairs = [(new if name == key else name, value) for name, value in parent.items()]
    parent.clear()
    parent.update(pairs)


def twice(parent: Any, key: Any) -> None:
    """Write an entry once more below itself."""
    if isinstance(parent, list):
        parent.insert(key, parent[key])
        return
    pairs = [pair for pair in parent.items() for _ in range(2 if pair[0] == key else 1)]
    parent.clear()
    parent.update((Again(name), value) for name, value in pairs)
