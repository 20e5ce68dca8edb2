"""`pipelines/DEPLOY.md` says what the commands do: they run, and no option, metric or file of a package is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from kit.paths import ROOT
from plait.aws_lambda.logs import lookup_metrics, metrics
from plait.cli.commands.package import command
from plait.cli.main import COMMANDS, main
from plait.engine.counts import LookupCounts
from plait.engine.report import Report

PAGE = (ROOT / "pipelines" / "DEPLOY.md").read_text(encoding="utf-8")
RUN = re.findall(r"^\$ plait (\w+) (\S+)", PAGE, re.MULTILINE)
OFFLINE = ("validate", "policy", "template")


def _section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_page_goes_from_the_check_to_the_running_function() -> None:
    assert [verb for verb, _ in RUN] == ["validate", "policy", "template", "package", "check"]
    assert {verb for verb, _ in RUN} <= set(COMMANDS)


@pytest.mark.parametrize("verb", OFFLINE)
def test_each_command_that_needs_no_service_runs_as_it_stands_there(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others run in the tests of the main job."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "transactions.yaml").write_bytes((ROOT / "pipelines" / "transactions.yaml").read_bytes())
    (arguments,) = [[name, file] for name, file in RUN if name == verb]
    assert CliRunner().invoke(main, arguments).exit_code == 0


def test_every_option_of_a_package_has_its_row() -> None:
    """But for those that all commands share."""
    rows = set(re.findall(r"^\| `(--[\w-]+)` \|", _section("The package"), re.MULTILINE))
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    assert rows == options - {"--output"}


def test_every_metric_has_its_row() -> None:
    tables = _section("The function").split("| --- | --- |")[1:]
    report = Report(pipeline="orders", spec_digest="", lookups={"people": LookupCounts(keys=1)})
    for part, line in zip(tables, (metrics(report, 0, 0), *lookup_metrics(report, 0)), strict=True):
        named = re.findall(r"`(\w+)`", part.partition("\n\n")[0])
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert sorted(named) == sorted(metric["Name"] for metric in directive["Metrics"])
