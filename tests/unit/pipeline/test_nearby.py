"""A run, preview or list that finds no object says what it looked for and what lies near."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import plait
from kit.network.faults import denied
from kit.network.proxy import Proxy
from plait.plugin import GiveUp

if TYPE_CHECKING:
    from pathlib import Path

    from plait.problems.problem import Problem
    from plait_sandbox.aws import LocalAws

SPEC = """
plait: 1
name: near
sources: {{orders: {{connector: json, path: "{path}", columns: {{id: string}}}}}}
sink: {{connector: parquet, path: {lake}/}}
"""
OBJECTS = ["raw/orders/2026/a.json", "raw/orders/readme.txt", "raw/refunds/b.json"]
CASES = [
    ("raw/order/*.json", "`ROOT/raw/` holds `orders/` and `refunds/`", "did you mean `ROOT/raw/orders/`?"),
    ("row/orders/*.json", "`ROOT/` holds `raw/`", "did you mean `ROOT/raw/`?"),
    (
        "raw/zebras/*.json",
        "`ROOT/raw/` holds `orders/` and `refunds/`",
        "check the path and the values of its parameters",
    ),
    (
        "raw/refunds/*.csv",
        "`ROOT/raw/refunds/b.json` is there and does not fit",
        "make the path fit it, or check where objects are written",
    ),
]


def told(root: str, path: str, folder: Path, **times: Any) -> Problem:
    """The warning of a run, which a preview gives too unless there are times."""
    spec = folder / "near.yaml"
    spec.write_text(SPEC.format(path=f"{root}/{path}", lake=folder / "lake"))
    report = plait.load(spec).run(**times)
    assert report.ok
    [problem] = report.problems
    assert (problem.code, problem.level) == ("no-objects", "warning")
    if not times:
        assert plait.load(spec).preview_with_report().report.problems == [problem]
    return problem


@pytest.mark.parametrize(("path", "note", "help"), CASES)
def test_what_lies_near_on_s3_is_named(s3: Any, tmp_path: Path, path: str, note: str, help: str) -> None:
    for key in OBJECTS:
        s3.put_object(Bucket="shop", Key=key, Body=b"{}")
    problem = told("s3://shop", path, tmp_path)
    assert problem.message == f"no object of `s3://shop/{path}` is there"
    assert (problem.note, problem.help) == (
        note.replace("ROOT", "s3://shop"),
        help.replace("ROOT", "s3://shop"),
    )


def test_what_lies_near_in_folders_is_named(tmp_path: Path) -> None:
    (tmp_path / "raw/orders").mkdir(parents=True)
    (tmp_path / "raw/refunds").mkdir()
    problem = told(str(tmp_path), "raw/orders/*.json", tmp_path)
    assert problem.note == f"`{tmp_path}/raw/` holds `orders/` and `refunds/`"
    (tmp_path / "raw/orders/a.csv").write_text("id")
    problem = told(str(tmp_path), "raw/orders/*.json", tmp_path)
    assert problem.note == f"`{tmp_path}/raw/orders/a.csv` is there and does not fit"


def test_objects_of_another_time_are_told_with_their_times(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="shop", Key="raw/a.json", Body=b"{}")
    problem = told("s3://shop", "raw/*.json", tmp_path, until=datetime(2020, 1, 1, tzinfo=UTC))
    assert problem.message.endswith("is there, modified before 2020-01-01T00:00:00+00:00")
    assert problem.note
    assert problem.note.startswith("such as `s3://shop/raw/a.json`, modified from 20")


def test_where_the_nearest_folder_may_not_be_listed_the_run_ends_as_without_it(
    s3: Any, aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(aws.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        proxy.on(2, "before", denied("s3"), operation="s3:ListObjectsV2", forever=True)
        spec = tmp_path / "near.yaml"
        spec.write_text(SPEC.format(path="s3://shop/none/*.json", lake=tmp_path / "lake"))
        [problem] = plait.load(spec).run().problems
    assert (problem.note, problem.help) == (None, "what lies near cannot be listed")


def test_a_replay_without_records_says_where_it_looked_and_what_lies_near(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="shop", Key="aside/orders/x.json", Body=b"{}")
    (tmp_path / "aside").mkdir()
    spec = tmp_path / "near.yaml"
    for root in ("s3://shop", str(tmp_path)):
        text = SPEC.format(path=f"{tmp_path}/*.json", lake=tmp_path / "lake")
        spec.write_text(f"{text}quarantine: {root}/asid/orders/\n")
        replayed = plait.load(spec).replay()
        assert replayed.ok
        [problem] = replayed.run.problems
        assert problem.message == f"no record is in quarantine: nothing lies in `{root}/asid/orders/`"
        assert problem.help == f"did you mean `{root}/aside/`?"


def test_a_folder_that_is_there_is_not_proposed_for_itself(tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    spec = tmp_path / "near.yaml"
    spec.write_text(
        f"{SPEC.format(path=f'{tmp_path}/*.json', lake=tmp_path / 'lake')}quarantine: {tmp_path}/aside/\n"
    )
    [problem] = plait.load(spec).replay().run.problems
    assert problem.help == "check the path and the values of its parameters"


def test_a_driving_folder_that_is_not_there_names_the_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "raw/orders").mkdir(parents=True)
    spec = tmp_path / "near.yaml"
    for path, help in (
        ("raw/ordres", f"did you mean `{tmp_path}/raw/orders/`?"),
        ("row/orders", f"did you mean `{tmp_path}/raw/`?"),
        ("raw/zebras", "check the path and the values of its parameters"),
    ):
        spec.write_text(SPEC.format(path=f"{tmp_path}/{path}/*.json", lake=tmp_path / "lake"))
        with pytest.raises(GiveUp) as raised:
            plait.load(spec).run()
        assert (raised.value.code, raised.value.help) == ("no-folder", help)


def test_a_relative_path_is_told_what_the_working_folder_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "aside").mkdir()
    spec = tmp_path / "near.yaml"
    spec.write_text(f"{SPEC.format(path='aside/*.json', lake='lake')}quarantine: asides/\n")
    [problem] = plait.load(spec).replay().run.problems
    assert (problem.note, problem.help) == ("`./` holds `aside/` and `near.yaml`", "did you mean `aside/`?")
