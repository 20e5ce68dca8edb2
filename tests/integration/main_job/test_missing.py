"""`plait missing` over the main job: what it prints is all that a run has to take, and two listings tell it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kit.shop import SPEC

if TYPE_CHECKING:
    from pathlib import Path

    from kit.shop import Shop


def test_what_is_missing_can_be_run_and_is_not_missing_then(shop: Shop, tmp_path: Path) -> None:
    """Orders with rows in folders and bad ones alike arrive; listings of each bucket are all that S3 is asked for."""
    spec, lake, keys = str(SPEC), "missing", shop.keys()
    objects = [f"s3://shop-raw/{key}" for key in keys if key.endswith(".json")]
    some = [word for uri in objects[::2] for word in ("--object", uri)]
    assert shop.command(lake, "run", spec, *some).returncode == 0
    before = shop.proxy.calls
    ended = shop.command(lake, "missing", spec, "--read", "0")
    assert shop.proxy.calls - before == Counter({"s3:ListObjectsV2": 3})
    taken = set(ended.stdout.splitlines())
    listed = shop.command(lake, "list", spec).stdout.splitlines()
    assert ended.returncode == 1
    assert taken == {line.partition("\t")[0] for line in listed} - {*objects[::2]}
    (tmp_path / "missing.txt").write_text(ended.stdout)
    assert shop.command(lake, "run", spec, "--objects", str(tmp_path / "missing.txt")).returncode == 0
    ended = shop.command(lake, "missing", spec)
    assert (ended.returncode, ended.stdout) == (0, "")
