"""What the sources of the main job hold at a moment, what must become of each object, and where that lies in the lake."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from kit.oracle import oracle
from kit.oracle.oracle_lake import DEFAULT_PARTITION, rows_of

PATIENCE = 600


@dataclass(frozen=True)
class Verdict:
    """What a delivery must make of an object: its row, or its raw bytes in quarantine, or nothing."""

    kind: str
    row: dict[str, Any] | None = None
    raw: bytes = b""

    @property
    def acknowledged(self) -> bool:
        """Whether the message must not come again."""
        return self.kind != "waits"


@dataclass
class Truth:
    """What the sources hold at a moment, as the oracle wants it; `seen` is when a log line can be found."""

    objects: dict[str, bytes] = field(default_factory=dict)
    stores: list[Any] = field(default_factory=list)
    activity: list[Any] = field(default_factory=list)
    lines: list[tuple[float, int, str]] = field(default_factory=list)
    now: float = 0.0

    @property
    def logs(self) -> list[tuple[int, str]]:
        """The lines that can be found now."""
        return [(at, text) for seen, at, text in self.lines if seen <= self.now]

    def verdict(self, key: str, dropped: tuple[str, ...] = ()) -> Verdict:
        """What a delivery must make of an object now, by a spec without some columns."""
        if not key.endswith(".json"):
            return Verdict("skipped")
        if key not in self.objects:
            return Verdict("gone")
        expected = oracle.expect(self)
        if key in expected.quarantined:
            return Verdict("bad", raw=self.objects[key])
        row = expected.rows[key]
        scored = any(f"transaction {row['transaction_id']} " in text for _, text in self.logs)
        if not (scored and row["items"]) and self.now < PATIENCE:
            return Verdict("waits")
        row = {column: value for column, value in row.items() if column not in dropped}
        return Verdict("row", row=row, raw=self.objects[key])


def _stem(uri: str) -> str:
    return hashlib.sha256(uri.encode()).hexdigest()[:32]


def place(uri: str, row: dict[str, Any]) -> str:
    """The key of the file that has an object's row."""
    return f"extracted/transactions/date={row['date'] or DEFAULT_PARTITION}/{_stem(uri)}.parquet"


def aside(uri: str) -> str:
    """The key of the file that has an object's record in quarantine."""
    return f"quarantine/transactions/{_stem(uri)}.json"


def read(files: dict[str, bytes], key: str) -> dict[str, Any]:
    """The one row of a file, with its partition."""
    [row] = rows_of(files[key])
    date = key.split("/")[2].removeprefix("date=")
    return {**row, "date": None if date == DEFAULT_PARTITION else date}
