"""The same job by plait, as `plait run SPEC --all` does it: a file for each order, every promise held."""

from __future__ import annotations

import plait
from kit.paths import ROOT


def run(paths: list[str]) -> None:
    """Run the main job's spec over the orders of these paths."""
    report = plait.load(
        str(ROOT / "pipelines" / "transactions.yaml"), raw=paths[0].rpartition("/transactions/")[0]
    ).run(paths)
    assert report.counts["done"] == len(paths), report
