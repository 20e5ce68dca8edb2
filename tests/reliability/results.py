"""What was tried and how long it took: JSON for machines, a table for the documentation."""

import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

HEAD = "| what | how much | seed | seconds |\n| --- | --- | --- | --- |\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a run that held: what was counted in it, from which seed, in how many seconds."""

    name: str
    seed: int | None
    counts: dict[str, float]
    seconds: float

    def row(self) -> str:
        """The part as a row of the table."""
        counts = ", ".join(f"{number:,} {word.replace('_', ' ')}" for word, number in self.counts.items())
        seed = "–" if self.seed is None else self.seed
        return f"| {self.name} | {counts} | {seed} | {self.seconds:,.0f} |\n"


@dataclass(slots=True)
class Results:
    """The parts of this run that held."""

    parts: list[Part] = field(default_factory=list)

    @contextmanager
    def part(self, name: str, seed: int | None, **counts: float) -> Iterator[dict[str, float]]:
        """Note a part when its block ends well; the block may add to the counts."""
        start = time.monotonic()
        yield counts
        self.parts.append(Part(name, seed, counts, round(time.monotonic() - start, 1)))

    def write(self, folder: Path) -> None:
        """Write `reliability.json` and `reliability.md`."""
        folder.mkdir(parents=True, exist_ok=True)
        machine = {"python": platform.python_version(), "cores": os.cpu_count()}
        document = {"format_version": 1, **machine, "parts": [asdict(part) for part in self.parts]}
        (folder / "reliability.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        table = HEAD + "".join(part.row() for part in self.parts)
        (folder / "reliability.md").write_text(table, encoding="utf-8")

    def add(self, file: Path) -> None:
        """Take the parts of another run that was written."""
        self.parts += [Part(**part) for part in json.loads(file.read_text(encoding="utf-8"))["parts"]]


def main(folder: Path, *files: Path) -> None:
    """Write the results of several runs as one."""
    results = Results()
    for file in files:
        results.add(file)
    results.write(folder)


ALL = Results()


@pytest.fixture(scope="session")
def results() -> Iterator[Results]:
    """Where each part notes what it tried; written to the folder that `PLAIT_RESULTS` names."""
    yield ALL
    if folder := os.environ.get("PLAIT_RESULTS"):
        ALL.write(Path(folder))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
