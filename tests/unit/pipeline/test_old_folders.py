"""`plait check` tells folders of partitions that a run would spell otherwise now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

import plait
from plait.cli.main import main
from plait.pipeline.old_folders import old_folders

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """
plait: 1
name: towns
sources: {{orders: {{connector: memory, rows: [], columns: {{id: int, day: date, city: string}}}}}}
partition_by: {{day: date(day), city: city}}
sink: {{connector: parquet, path: "{sink}"}}
"""
DAYS = ["day=2026-07-01", "day=2026-07-02"]
OLD = {
    "city=S%C3%A3o Paulo": "city=São Paulo",
    "city=100%25": None,
    "city=%2E": "city=.",
    "city=a%2Fb": None,
    "city=a%2fb": "city=a%2Fb",
    "city=__HIVE_DEFAULT_PARTITION__": None,
    "city=x._COPYING%5F": None,
    "city=%5F_HIVE_DEFAULT_PARTITION__": None,
    "town=S%C3%A3o": None,
}


def told(sink: str, folder: Path) -> list[str]:
    spec = folder / "towns.yaml"
    spec.write_text(SPEC.format(sink=sink))
    return [problem.message for problem in old_folders(plait.load(spec).engine())]


def message(sink: str) -> list[str]:
    names = sorted((old, new) for old, new in OLD.items() if new)
    shown = " and ".join(f"`{sink}{DAYS[1]}/{old}/` is `{new}` now" for old, new in names)
    return [f"the sink has folders as earlier versions named them: {shown}"]


def test_old_folders_are_told_with_their_names_of_now_in_a_folder(tmp_path: Path) -> None:
    sink = f"{tmp_path}/lake/"
    assert told(sink, tmp_path) == []
    (tmp_path / "lake" / DAYS[0]).mkdir(parents=True)
    for name in OLD:
        (tmp_path / "lake" / DAYS[1] / name).mkdir(parents=True)
    assert told(sink, tmp_path) == message(sink)
    ended = CliRunner().invoke(main, ["check", str(tmp_path / "towns.yaml")], catch_exceptions=False)
    assert ended.exit_code == 0
    assert "warning[old-folders]" in ended.output


def test_old_folders_are_told_with_their_names_of_now_on_s3(s3: Any, tmp_path: Path) -> None:
    for name in OLD:
        s3.put_object(Bucket="shop", Key=f"lake/{DAYS[1]}/{name}/a.parquet", Body=b"")
    assert told("s3://shop/lake/", tmp_path) == message("s3://shop/lake/")
