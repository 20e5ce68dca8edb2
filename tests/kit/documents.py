"""Documents as the world writes and spoils them: JSON and CSV, whole, odd and broken."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from kit.tables import table

PARTS = table("documents.yaml")
SPOILERS = (b"", *(text.encode("latin-1") for text in PARTS["spoilers"]))


def examples(times: float, most: int = 1_000_000) -> settings:
    """So many times the examples of the budget, but no more than the most."""
    budget = settings.default
    assert budget is not None
    return settings(budget, max_examples=min(int(times * budget.max_examples), most))


spaces = st.sampled_from(["", "", "", " ", "\n", "\t", "\r\n  "])
atoms = st.one_of(
    st.sampled_from(["null", "true", "false", *PARTS["numbers"]]),
    st.sampled_from(PARTS["texts"]).map(lambda text: f'"{text}"'),
)
keys = st.sampled_from(["a", "b", "c", "d", "", ":", "\\u0061", "é"]).map(lambda text: f'"{text}"')


def _joined(parts: list[Any], space: str) -> str:
    return f"{space},{space}".join("".join(part) if isinstance(part, tuple) else part for part in parts)


def mappings(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Mappings, at times with a key twice."""
    pairs = st.lists(st.tuples(keys, st.sampled_from([":", ": ", " : "]), values), max_size=5)
    return st.builds(lambda p, s: f"{{{s}{_joined(p, s)}{s}}}", pairs, spaces)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Lists and mappings of what is given."""
    lists = st.builds(lambda p, s: f"[{s}{_joined(p, s)}{s}]", st.lists(inner, max_size=4), spaces)
    return st.one_of(lists, mappings(inner))


json_documents = mappings(st.recursive(atoms, nested, max_leaves=8)).map(str.encode)
cells = st.sampled_from(PARTS["cells"])
lines = st.lists(cells, min_size=2, max_size=2) | st.lists(cells, max_size=4)
line_ends = st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"])
headers = st.sampled_from(PARTS["headers"])
csv_documents = st.builds(
    lambda header, rows, end, last: (end.join([header, *map(",".join, rows)]) + end * last).encode(),
    headers,
    st.lists(lines, max_size=4),
    line_ends,
    st.booleans(),
)


def _spoil(data: bytes, place: int, length: int, by: bytes) -> bytes:
    start = place % (len(data) + 1)
    return data[:start] + by + data[start + length :]


def spoiled(documents: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Documents with a few bytes taken out or put in, as cut, patched and glued files have them."""
    change = st.tuples(st.integers(0, 300), st.integers(0, 3), st.sampled_from(SPOILERS))
    return st.builds(_changed, documents, st.lists(change, max_size=3))


def _changed(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, by in changes:
        data = _spoil(data, place, length, by)
    return data
