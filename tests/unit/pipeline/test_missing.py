"""What never arrived, in Python: found anew each time, by files whose names tell their objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

import plait
from plait.plugin import Connector, GiveUp, Options, Sink

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """
plait: 1
name: compared
sources: {{orders: {{connector: json, path: "{folder}/in/*.json", columns: {{id: int}}}}}}
sink: {{connector: parquet, path: "{folder}/out/"}}
"""


class Nowhere(Sink[Options]):
    """A sink that does not say how the names of its files end."""

    def write(self, files: Any) -> Any:
        return files


@pytest.fixture
def compared(tmp_path: Path) -> plait.Pipeline:
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / f"in/{number}.json").write_text(f'{{"id": {number}}}')
    (tmp_path / "compared.yaml").write_text(SPEC.format(folder=tmp_path))
    return plait.load(tmp_path / "compared.yaml")


def test_a_run_takes_what_is_missing(compared: plait.Pipeline) -> None:
    missing = compared.missing()
    assert compared.run(missing).objects["done"] == missing.counts["missing"] == 3
    assert ([*missing], missing.counts["arrived"]) == ([], 3)


def test_files_that_do_not_tell_their_objects_cannot_be_compared(compared: plait.Pipeline) -> None:
    connector = Connector("nowhere", "Nowhere.", Options, sink=Nowhere)
    spec = replace(compared.spec, sink=replace(compared.spec.sink, connector=connector, options=Options()))
    with pytest.raises(GiveUp, match="`nowhere` writes no files that are named by their objects") as caught:
        [*plait.Pipeline(spec).missing()]
    assert caught.value.code == "unreadable-sink"
