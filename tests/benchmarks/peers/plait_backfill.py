"""The same job as `plait backfill SPEC --all --workers 2` does it: two processes, and a state that resumes."""

from __future__ import annotations

from kit.paths import ROOT
from plait.cli.main import main

SPEC = ROOT / "pipelines" / "transactions.yaml"


def run(_paths: list[str]) -> None:
    """Run over all orders of the shop, by the command itself."""
    main(["backfill", str(SPEC), "--all", "--workers", "2", "-o", "json"], standalone_mode=False)
