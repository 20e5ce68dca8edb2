"""`plait check`: each source and the sink is asked what a run would ask, and nothing stays written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kit.network import faults
from kit.shop import SPEC, edited_spec
from kit.tables import table

if TYPE_CHECKING:
    from kit.shop import Shop

TABLE = table(Path(__file__).with_name("check.yaml"))


def _check(shop: Shop, *arguments: str) -> tuple[int, dict[str, Any]]:
    ended = shop.command("check", "check", *arguments, "-o", "json")
    return ended.returncode, {answer["block"]: answer for answer in json.loads(ended.stdout)["blocks"]}


def test_all_blocks_of_the_main_job_are_reached(shop: Shop) -> None:
    """Every block is asked, with its region, its owner, how long its lines are kept; a store that is not AWS's is put a file, which is removed."""
    before = shop.proxy.calls
    code, blocks = _check(shop, str(SPEC))
    assert code == 0
    assert [*blocks] == ["transactions", "items", "stores", "activity", "fraud", "sink", "quarantine"]
    assert not [answer for answer in blocks.values() if answer["problem"]]
    assert blocks["transactions"]["facts"] == ["bucket in eu-west-1", "owned by this account"]
    assert blocks["fraud"]["facts"] == ["lines are kept for ever"]
    assert set(shop.proxy.calls - before) == set(TABLE["calls"])
    assert shop.lake("check") == {}


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (faults.throttled("s3"), "cannot be reached now: 503"),
        (faults.broken("s3", 500), "cannot be reached now: 500"),
        (faults.fail(400), "cannot be used: 400"),
        (faults.fail(403), None),
    ],
    ids=["throttled", "broken", "expired", "another account's"],
)
def test_a_bucket_is_another_accounts_only_where_s3_says_so(
    shop: Shop, action: faults.Action, message: str | None
) -> None:
    """A 403 for the account that asks is the owner's; that S3 is busy or fails is told as it is."""
    shop.proxy.reset()
    shop.proxy.on(2, "before", action, operation="s3:HeadBucket", forever=message is not None)
    code, blocks = _check(shop, str(SPEC))
    shop.proxy.mend()
    problem, facts = blocks["transactions"]["problem"], blocks["transactions"]["facts"]
    if message is None:
        assert (code, problem, facts[1]) == (0, None, "owned by another account")
    else:
        assert code == 1
        assert message in problem["message"]


@pytest.mark.parametrize(("block", "mistake"), TABLE["mistakes"].items(), ids=TABLE["mistakes"])
def test_a_block_that_leads_nowhere_is_named_and_the_others_are_still_asked(
    shop: Shop, tmp_path: Path, block: str, mistake: dict[str, str]
) -> None:
    code, blocks = _check(shop, str(edited_spec(tmp_path, {mistake["old"]: mistake["new"]})))
    assert code == 1
    assert [name for name, answer in blocks.items() if answer["problem"]] == [block]
    assert mistake["message"] in blocks[block]["problem"]["message"]


def test_the_text_says_what_is_wrong_and_one_thing_to_do(shop: Shop, tmp_path: Path) -> None:
    spec = edited_spec(tmp_path, {"shop/stores-db": "shop/none"})
    ended = shop.command("check", "check", str(spec))
    assert ended.returncode == 1
    assert "stores        cannot be used" in ended.stdout
    assert "shop/none" in ended.stdout
