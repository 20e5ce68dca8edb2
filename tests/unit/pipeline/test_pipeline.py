"""What a pipeline in Python warns of."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import plait

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """
plait: 1
name: warned
sources: {{orders: {{connector: json, path: "{folder}/in/*.json", columns: {{id: int}}}}}}
sink: {{connector: parquet, path: "{folder}/out/"}}
quarantine: "{folder}/quarantine/"
"""


def test_a_preview_warns_once_of_each_kind_of_problem(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / f"in/{number}.json").write_text(f'{{"id": "x{number}"}}')
    (tmp_path / "in/3.json").write_text("[]")
    spec = tmp_path / "warned.yaml"
    spec.write_text(SPEC.format(folder=tmp_path))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plait.load(spec).preview()
    texts = [str(warning.message) for warning in caught]
    assert [text.partition("[")[2].partition("]")[0] for text in texts] == ["bad-value", "bad-record"]
    assert f"{tmp_path}/in/0.json" in texts[0]
    assert "; 3 times; " in texts[0]
