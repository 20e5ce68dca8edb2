"""Many plain CSV files at once: those without a quote, where a line is a row whatever stands beside it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from plait.plugin import RecordTable

if TYPE_CHECKING:
    import pyarrow as pa

BOM = b"\xef\xbb\xbf"
LONGEST = 100_000  # Python's reader refuses a field that is a little longer
Texts = dict[str, str]


@dataclass
class Pile:
    """Files of one header: their bodies, how many lines each has, and who they belong to."""

    names: list[str]
    bodies: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    owners: list[Any] = field(default_factory=list)

    def add(self, body: bytes, comma: bytes, owner: Any) -> bool:
        """Put a file on the pile, unless it has too many or too few delimiters for its lines."""
        body = body if body.endswith(b"\n") or not body else body + b"\n"
        lines = body.count(b"\n")
        if body.count(comma) != lines * (len(self.names) - 1):
            return False
        self.bodies.append(body)
        self.lines.append(lines)
        self.owners.append(owner)
        return True


def pile(piles: dict[bytes, Pile | None], data: bytes, delimiter: str, taken: set[str], owner: Any) -> bool:
    """Put a file on the pile of its header, if it is plain; `taken` are the fields that its path gives."""
    data = data.removeprefix(BOM).replace(b"\r\n", b"\n")
    if len(data) > LONGEST or b'"' in data or b"\r" in data or b"\n\n" in data or not _is_utf8(data):
        return False
    header, _, body = data.partition(b"\n")
    if header not in piles:
        names = header.decode().split(delimiter)
        usual = "" not in names and len({*names, *taken}) == len(names) + len(taken)
        piles[header] = Pile(names) if usual else None
    mine = piles[header]
    return mine is not None and mine.add(body, delimiter.encode(), owner)


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def block(pile: Pile, delimiter: str, columns: list[Texts]) -> RecordTable | None:
    """The rows of a pile, file by file; None where a line has another width than the header."""
    import pyarrow as pa

    try:
        table = _table(pile, delimiter)
    except pa.ArrowInvalid:
        return None
    if table.num_rows != sum(pile.lines):
        return None
    file = pa.array([n for n, lines in enumerate(pile.lines) for _ in range(lines)], pa.int32())
    for name in columns[0]:
        texts = pa.array([one[name] for one in columns], pa.string())
        table = table.append_column(name, texts.take(file))
    starts = [*accumulate(pile.lines, initial=0)]
    return RecordTable(
        table=table, position=lambda row: f"line {row - starts[bisect_right(starts, row) - 1] + 2}"
    )


def _table(pile: Pile, delimiter: str) -> pa.Table:
    """All lines as texts, an empty one being null; a line before them keeps a mark that the first begins with."""
    import pyarrow as pa
    from pyarrow import csv

    data = b"".join([b"header\n", *pile.bodies])
    return csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(column_names=pile.names, skip_rows=1, use_threads=False, block_size=len(data) + 1024),
        csv.ParseOptions(delimiter=delimiter, quote_char=False),
        csv.ConvertOptions(
            column_types={name: pa.string() for name in pile.names},
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
