"""Count what the records of a source lack, and what the keys of a look-up find; the counts add up over batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import asdict

from plait.engine.places import MOST_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.engine.join import Joined
    from plait.engine.transform import Batch
    from plait.language.spec import Column
    from plait.plugin import Key

MOST_EXAMPLES = 10


class ColumnCounts(Struct, kw_only=True):
    """The cells of a column without a value: `nulls` in all, of which `absent` have no field there; `defaults` took the default."""

    nulls: int = 0
    absent: int = 0
    defaults: int = 0

    def add(self, batch: ColumnCounts) -> None:
        """Add the counts of a batch."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(batch, name))


class SourceCounts(Struct, kw_only=True):
    """The records of a source that were decoded, and by column the cells without a value; a batch has only such columns.

    `names` has, for a column that no record of a batch had, the fields that stood beside its place; `key` is then one of
    the keys that were asked for the records of a look-up.
    """

    records: int = 0
    columns: dict[str, ColumnCounts] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)
    key: Key | None = None

    def add(self, batch: SourceCounts) -> None:
        """Add the counts of a batch."""
        self.records += batch.records
        self.key = self.key or batch.key
        for name, counts in batch.columns.items():
            self.columns.setdefault(name, ColumnCounts()).add(counts)
        for name, fields in batch.names.items():
            if len(self.names.setdefault(name, set())) < MOST_NAMES:
                self.names[name] |= fields

    def add_column(self, column: Column, nulls: int, absent: int) -> None:
        """Count the cells of a column without a value, among all records."""
        defaults = 0 if column.default is None else nulls
        self.columns[column.name] = ColumnCounts(nulls=nulls, absent=absent, defaults=defaults)

    def as_json(self) -> dict[str, Any]:
        """The counts without a name of a record's fields."""
        columns = {name: asdict(counts) for name, counts in self.columns.items()}
        return {"records": self.records, "columns": columns}


def add_up(parts: Iterable[SourceCounts]) -> SourceCounts:
    """The sum of counts."""
    total = SourceCounts()
    for part in parts:
        total.add(part)
    return total


class LookupCounts(Struct, kw_only=True):
    """The keys that a run asked of a look-up, and what became of them and of the rows.

    `keys` are the distinct keys of each batch, which `fetches` ask for; `keys_matched` have a record and `keys_missed` have
    none. Of the missed, `keys_inexact` are known to the source in another spelling: another case, accents, spaces, or another way to write
    a number; `examples` are some of these. `cached` of the keys were answered by a cache; `cached_seconds` is the age of the
    oldest of these answers. Answers that do not fit together are asked for once more, and then are cached likewise.
    `rows_matched` have a match and `rows_missing` have none, `rows_duplicates` have several where one is meant.
    Of the `lines` that were read of a log, `unread` are no record: they do not fit the pattern, or are no JSON.
    """

    keys: int = 0
    fetches: int = 0
    keys_matched: int = 0
    keys_missed: int = 0
    keys_inexact: int = 0
    cached: int = 0
    cached_seconds: float = 0.0
    rows_matched: int = 0
    rows_missing: int = 0
    rows_duplicates: int = 0
    lines: int = 0
    unread: int = 0
    calls: int = 0
    examples: list[tuple[Any, ...]] = field(default_factory=list)

    def add_join(self, joined: Joined) -> None:
        """Add the counts of a join."""
        self.rows_matched += joined.matched
        self.rows_missing += joined.missing
        self.rows_duplicates += joined.duplicates

    def add_misses(self, missed: int, inexact: Iterable[tuple[Any, ...]]) -> None:
        """Count keys without a record, and those of them that the source has in another spelling."""
        spelt_otherwise = sorted(inexact, key=repr)
        self.keys_missed += missed
        self.keys_inexact += len(spelt_otherwise)
        self.examples = (self.examples + spelt_otherwise)[:MOST_EXAMPLES]

    def add(self, batch: LookupCounts) -> None:
        """Add the counts of a batch."""
        oldest = max(self.cached_seconds, batch.cached_seconds)
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(batch, name))
        self.cached_seconds, self.examples = oldest, self.examples[:MOST_EXAMPLES]

    def as_json(self) -> dict[str, Any]:
        """The numbers, without a key."""
        return {name: value for name, value in asdict(self).items() if name != "examples"}


class Tally(Struct, kw_only=True):
    """The counts of the records of each source and of each look-up, by its name, and of those that `only` left out."""

    sources: dict[str, SourceCounts] = field(default_factory=dict)
    lookups: dict[str, LookupCounts] = field(default_factory=dict)
    left_out: int = 0

    def add_counts(self, batch: Batch) -> None:
        """Add the counts of a batch."""
        self.left_out += len(batch.left_out)
        for name, counts in batch.sources.items():
            self.sources.setdefault(name, SourceCounts()).add(counts)
        for name, lookup_counts in batch.lookups.items():
            self.lookups.setdefault(name, LookupCounts()).add(lookup_counts)
