"""`plait check`: each source and the sink is asked what a run would ask, and nothing is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kit import faults
from kit.shop import SPEC

if TYPE_CHECKING:
    from pathlib import Path

    from kit.shop import Shop

READ_ONLY = {
    "s3:GetObject",
    "s3:HeadBucket",
    "s3:ListObjectsV2",
    "sts:GetCallerIdentity",
    "secretsmanager:GetSecretValue",
    "dynamodb:BatchGetItem",
    "logs:FilterLogEvents",
    "logs:DescribeLogGroups",
}


def _check(shop: Shop, *arguments: str) -> tuple[int, dict[str, Any]]:
    told = shop.command("check", "check", *arguments, "-o", "json")
    return told.returncode, {one["block"]: one for one in json.loads(told.stdout)["blocks"]}


def test_all_blocks_of_the_main_job_are_reached(shop: Shop) -> None:
    """Every block is asked, with its region, its owner, how long its lines are kept; only reading calls are made."""
    before = shop.proxy.calls
    code, blocks = _check(shop, str(SPEC))
    assert code == 0
    assert [*blocks] == ["transactions", "items", "stores", "activity", "fraud", "sink", "quarantine"]
    assert not [one for one in blocks.values() if one["problem"]]
    assert blocks["transactions"]["facts"] == ["bucket in eu-west-1", "owned by this account"]
    assert blocks["fraud"]["facts"] == ["lines are kept for ever"]
    assert set(shop.proxy.calls - before) == READ_ONLY
    assert shop.lake("check") == {}


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (faults.throttled("s3"), "cannot be reached now: 503"),
        (faults.broken("s3", 500), "cannot be reached now: 500"),
        (faults.fail(400), "cannot be used: 400"),
        (faults.fail(403), None),
    ],
    ids=["throttled", "broken", "expired", "another account's"],
)
def test_a_bucket_is_another_accounts_only_where_s3_says_so(
    shop: Shop, action: faults.Action, told: str | None
) -> None:
    """A 403 for the account that asks is the owner's; that S3 is busy or fails is told as it is."""
    shop.proxy.reset()
    shop.proxy.on(2, "before", action, operation="s3:HeadBucket", forever=told is not None)
    code, blocks = _check(shop, str(SPEC))
    shop.proxy.mend()
    problem, facts = blocks["transactions"]["problem"], blocks["transactions"]["facts"]
    if told is None:
        assert (code, problem, facts[1]) == (0, None, "owned by another account")
    else:
        assert code == 1
        assert told in problem["message"]


MISTAKES = {
    "transactions": ("${raw}/transactions/*.json", "s3://no-such-bucket/t/*.json", "NoSuchBucket"),
    "stores": ("table: stores.stores", "table: stores.shops", "no table `stores.shops`"),
    "activity": ("table: customer-activity", "table: customers", "customers"),
    "fraud": ("log_group: /shop/tx-fraud-score", "log_group: /shop/none", "/shop/none"),
    "sink": ("${lake}/extracted/", "s3://no-such-lake/extracted/", "NoSuchBucket"),
    "quarantine": ("${lake}/quarantine/", "s3://no-such-lake/quarantine/", "NoSuchBucket"),
}


@pytest.mark.parametrize("block", MISTAKES)
def test_a_block_that_leads_nowhere_is_named_and_the_others_are_still_asked(
    shop: Shop, tmp_path: Path, block: str
) -> None:
    old, new, said = MISTAKES[block]
    text = SPEC.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = tmp_path / "transactions.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    code, blocks = _check(shop, str(file))
    assert code == 1
    assert [name for name, one in blocks.items() if one["problem"]] == [block]
    assert said in blocks[block]["problem"]["message"]


def test_the_text_says_what_is_wrong_and_one_thing_to_do(shop: Shop, tmp_path: Path) -> None:
    text = SPEC.read_text(encoding="utf-8").replace("shop/stores-db", "shop/none")
    file = tmp_path / "transactions.yaml"
    file.write_text(text, encoding="utf-8")
    told = shop.command("check", "check", str(file))
    assert told.returncode == 1
    assert "stores        cannot be used" in told.stdout
    assert "shop/none" in told.stdout
