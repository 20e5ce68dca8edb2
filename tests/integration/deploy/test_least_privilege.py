"""Each pipeline runs under the policy that is derived from it, and under no smaller one."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kit import oracle
from kit.locked import locked
from kit.paths import ROOT
from kit.proxy import Proxy
from kit.shop import SPEC, Shop, Told, queue
from plait.deploy.policy import Grant, grants, policy_document
from plait.language.spec import Spec
from plait.language.validate import validate_for_run
from plait_sandbox import Sandbox, sample

NAMES = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}
USER = "function"
DRIVER = "  orders: {connector: json, path: 'RAW', columns: {transaction_id: string, customer_id: string, store_id: bigint, ordered_at: timestamp}}\n"
ITEMS = "  items: {connector: csv, path: 's3://shop-raw/items/{transaction_id}.csv', columns: {sku: string}, join: {on: transaction_id, as: list}}\n"
STORES = "  stores: {connector: mysql, secret: shop/stores-db, table: stores.stores, columns: {name: string}, join: {on: store_id}}\n"
ACTIVITY = "  activity: {connector: dynamodb, table: customer-activity, columns: {last_seen: string}, join: {on: customer_id}}\n"
FRAUD = (
    "  fraud: {connector: cloudwatch_logs, log_group: /shop/tx-fraud-score,"
    " pattern: '*transaction {transaction_id} scored {score}', window: {around: ordered_at, before: 1h, after: 1h},"
    " columns: {score: int}, join: {on: transaction_id, duplicates: latest}}\n"
)
SINK = "sink: {connector: parquet, path: 's3://shop-lake/LAKE/extracted/transactions/'}\n"
QUARANTINE = "quarantine: s3://shop-lake/LAKE/quarantine/transactions/\n"
FLAT, DEEP = "s3://shop-raw/transactions/*.json", "s3://shop-raw/**.json"
BY_DAY = "partition_by: {day: date(ordered_at)}\n"
SPECS = {
    "driver-alone": DRIVER.replace("RAW", FLAT) + SINK,
    "deep-driver": DRIVER.replace("RAW", DEEP) + SINK + QUARANTINE,
    "quarantine": DRIVER.replace("RAW", FLAT) + SINK + QUARANTINE,
    "by-day": DRIVER.replace("RAW", FLAT) + BY_DAY + SINK + QUARANTINE,
    "items": DRIVER.replace("RAW", FLAT) + ITEMS + SINK + QUARANTINE,
    "stores": DRIVER.replace("RAW", FLAT) + STORES + SINK + QUARANTINE,
    "activity": DRIVER.replace("RAW", FLAT) + ACTIVITY + SINK + QUARANTINE,
    "fraud": DRIVER.replace("RAW", FLAT) + FRAUD + SINK + QUARANTINE,
    "items-stores": DRIVER.replace("RAW", FLAT) + ITEMS + STORES + SINK + QUARANTINE,
    "activity-fraud": DRIVER.replace("RAW", FLAT) + ACTIVITY + FRAUD + SINK + QUARANTINE,
    "no-quarantine-items": DRIVER.replace("RAW", FLAT) + ITEMS + SINK,
    "everything": DRIVER.replace("RAW", FLAT) + ITEMS + STORES + ACTIVITY + FRAUD + SINK + QUARANTINE,
}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Shop]:
    """The filled sandbox on a server that can enforce IAM."""
    shop_sample = sample()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT / "tests"))
        sandbox = Sandbox("mariadb", server="kit.iam_server")
    with sandbox, Proxy(sandbox.aws.endpoint) as proxy:
        sandbox.fill(shop_sample, announce=False)
        yield Shop(sandbox, shop_sample, proxy, sandbox.client("s3"))


@dataclass
class Judge:
    """Runs a spec under a policy and returns what became of its objects."""

    shop: Shop
    spec: Path
    lake: str
    credentials: dict[str, str]

    def validated_spec(self) -> Spec:
        environment = {"LAKE": f"s3://shop-lake/{self.lake}"}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            spec = validate_for_run(str(self.spec), {}).spec
        assert spec
        return spec

    def outcome(self, granted: list[Grant]) -> list[Any]:
        """Deliver new, missing, bad and itemless objects, overwrite one of them, and deliver them again."""
        self._forget()
        order, other, bad, bare = self._keys()
        iam = self.shop.sandbox.client("iam")
        policy = json.dumps(policy_document(granted, NAMES))
        iam.put_user_policy(UserName=USER, PolicyName="pipeline", PolicyDocument=policy)
        missing = "transactions/never-there.json"
        first = self._enforced([queue([order, missing, bad, bare, other])])
        body = self.shop.sample.objects[order]
        self.shop.client.put_object(Bucket="shop-raw", Key=order, Body=body + b" ")
        second = self._enforced([queue([order, bad, other])])
        self.shop.client.put_object(Bucket="shop-raw", Key=order, Body=body)
        lake = {kind: sorted(self.shop.lake(self.lake, kind)) for kind in ("extracted", "quarantine")}
        return [*first.answers, *second.answers, lake]

    def _keys(self) -> tuple[str, str, str, str]:
        """Two orders that every source adds something to, a malformed one, and one without items."""
        quirks, rows = self.shop.sample.quirks, oracle.expect(self.shop.sample).rows
        columns = ("items", "store_name", "customer_last_seen", "fraud_score")
        full = sorted(key for key, row in rows.items() if all(row[name] for name in columns))
        return full[0], full[1], quirks["malformed"][0], quirks["no_items"][0]

    def _forget(self) -> None:
        for kind in ("extracted", "quarantine"):
            for key in self.shop.lake(self.lake, kind):
                name = f"{self.lake}/{kind}/transactions/{key}"
                self.shop.client.delete_object(Bucket="shop-lake", Key=name)

    def _enforced(self, events: list[Any]) -> Told:
        environment = {**self.credentials, "PLAIT_SPEC": locked(self.spec)}
        _reset_auth(self.shop, "0")
        try:
            return self.shop.fork(self.lake, events, **environment)
        finally:
            _reset_auth(self.shop, "inf")


def _reset_auth(shop: Shop, count: str) -> None:
    request = urllib.request.Request(
        f"{shop.sandbox.aws.endpoint}/moto-api/reset-auth",
        data=count.encode(),
        headers={"Content-Type": "text/plain"},
    )
    urllib.request.urlopen(request).read()


@pytest.fixture(scope="module")
def credentials(guarded: Shop) -> dict[str, str]:
    iam = guarded.sandbox.client("iam")
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@pytest.fixture
def judge(guarded: Shop, credentials: dict[str, str], tmp_path: Path) -> Callable[[str], Judge]:
    def make(name: str) -> Judge:
        lake = f"privilege-{name}"
        if name == "transactions":
            return Judge(guarded, SPEC, lake, credentials)
        text = f"plait: 1\nname: {name}\nsources:\n{SPECS[name]}".replace("LAKE", lake)
        file = tmp_path / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        return Judge(guarded, file, lake, credentials)

    return make


@pytest.mark.parametrize("name", ["transactions", *SPECS])
@pytest.mark.fault("P2")
def test_the_policy_suffices_and_no_grant_of_it_can_be_left_out(
    judge: Callable[[str], Judge], name: str
) -> None:
    """The outcome is that of an administrator; with any one resource replaced, something fails.

    The run has a missing object, one without its items, a malformed one, an overwritten one, and a second delivery.
    """
    case = judge(name)
    granted = [*grants(case.validated_spec())]
    everything = [Grant(action="*", resource="*", reasons=())]
    expected = case.outcome(everything)
    failures = [answer["batchItemFailures"] for answer in expected[:2]]
    bad = [] if case.validated_spec().quarantine else [{"itemIdentifier": "2"}]
    assert failures == [bad, [{"itemIdentifier": "1"}] if bad else []]
    assert case.outcome(granted) == expected
    for number, grant in enumerate(granted):
        moved = replace(grant, resource=f"{grant.resource.rstrip('*')}-elsewhere")
        assert case.outcome([*granted[:number], moved, *granted[number + 1 :]]) != expected, grant


ACTIONS = {"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket"}


def test_what_the_server_saw_is_in_the_policy_and_all_of_it_was_used(
    guarded: Shop, judge: Callable[[str], Judge]
) -> None:
    """Obstore's calls count too. The right to list is used when an object is missing: S3 answers 404 instead of 403."""
    case = judge("transactions")
    granted = [*grants(case.validated_spec())]
    guarded.proxy.reset()
    case.outcome(granted)
    seen = {ACTIONS.get(name, name) for name in guarded.proxy.calls}
    missing = {request.status for request in guarded.proxy.log if request.operation == "s3:GetObject"} & {404}
    assert missing
    assert {grant.action for grant in granted} == seen | {"s3:ListBucket"}


LINT = """
import json, sys, parliament
for line in sys.stdin:
    print(json.dumps([str(finding) for finding in parliament.analyze_policy_string(line).findings]))
"""


def _linted(policies: list[Any]) -> list[list[str]]:
    """What parliament finds in each policy; it runs in a process of its own, since importing it warns."""
    lines = "".join(json.dumps(policy) + "\n" for policy in policies)
    command = [sys.executable, "-W", "ignore", "-P", "-c", LINT]
    process = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_parliament_finds_nothing_in_our_policies_and_something_in_a_wrong_one(
    judge: Callable[[str], Judge],
) -> None:
    """An independent linter of policies knows every action and every kind of resource."""
    ours = [
        policy_document([*grants(judge(name).validated_spec())], NAMES) for name in ("transactions", *SPECS)
    ]
    wrong = policy_document([Grant(action="s3:HeadObject", resource="arn:aws:s3:::b/*", reasons=())], {})
    *findings, planted = _linted([*ours, wrong])
    assert findings == [[] for _ in ours]
    assert planted
