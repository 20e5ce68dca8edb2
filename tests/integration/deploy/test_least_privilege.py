"""Each pipeline runs under exactly the policy that is derived from it, and under no smaller one."""

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

from integration.main_job.shop import SPEC, Shop, Told, queue
from kit import oracle
from kit.paths import ROOT
from kit.proxy import Proxy
from plait.deploy.policy import Grant, document, grants
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
    found = sample()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT / "tests"))
        sandbox = Sandbox("mariadb", server="harness.iam_server")
    with sandbox, Proxy(sandbox.aws.endpoint) as proxy:
        sandbox.fill(found, announce=False)
        yield Shop(sandbox, found, proxy, sandbox.client("s3"))


@dataclass
class Judge:
    """Runs a spec under a policy and says what became of it."""

    shop: Shop
    spec: Path
    lake: str
    credentials: dict[str, str]

    def found(self) -> Spec:
        environment = {"LAKE": f"s3://shop-lake/{self.lake}"}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            found = validate_for_run(str(self.spec), {}).spec
        assert found
        return found

    def outcome(self, granted: list[Grant]) -> list[Any]:
        """New, missing, bad and itemless objects; then one of them overwritten, and all delivered again."""
        self._forget()
        order, other, bad, bare = self._keys()
        iam = self.shop.sandbox.client("iam")
        policy = json.dumps(document(granted, NAMES))
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
        """Two orders to which every source has something to say, a malformed one, and one without items."""
        quirks, rows = self.shop.sample.quirks, oracle.expect(self.shop.sample).rows
        told = ("items", "store_name", "customer_last_seen", "fraud_score")
        full = sorted(key for key, row in rows.items() if all(row[name] for name in told))
        return full[0], full[1], quirks["malformed"][0], quirks["no_items"][0]

    def _forget(self) -> None:
        for kind in ("extracted", "quarantine"):
            for key in self.shop.lake(self.lake, kind):
                name = f"{self.lake}/{kind}/transactions/{key}"
                self.shop.client.delete_object(Bucket="shop-lake", Key=name)

    def _enforced(self, events: list[Any]) -> Told:
        environment = {**self.credentials, "PLAIT_SPEC": str(self.spec)}
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
    made = iam.create_access_key(UserName=USER)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


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
def test_the_policy_suffices_and_nothing_of_it_can_go(judge: Callable[[str], Judge], name: str) -> None:
    """As the administrator it gives the same; with any one resource moved away, something fails.

    The run has a missing object, one without its items, a malformed one, an overwritten one, and a second delivery.
    """
    case = judge(name)
    granted = [*grants(case.found())]
    everything = [Grant(action="*", resource="*", reasons=())]
    wanted = case.outcome(everything)
    failures = [answer["batchItemFailures"] for answer in wanted[:2]]
    bad = [] if case.found().quarantine else [{"itemIdentifier": "2"}]
    assert failures == [bad, [{"itemIdentifier": "1"}] if bad else []]
    assert case.outcome(granted) == wanted
    for number, grant in enumerate(granted):
        moved = replace(grant, resource=f"{grant.resource.rstrip('*')}-elsewhere")
        assert case.outcome([*granted[:number], moved, *granted[number + 1 :]]) != wanted, grant


ACTIONS = {"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket"}


def test_what_the_server_saw_is_in_the_policy_and_all_of_it_was_used(
    guarded: Shop, judge: Callable[[str], Judge]
) -> None:
    """Those of obstore included; the right to list is used by being told that an object is not there."""
    case = judge("transactions")
    granted = [*grants(case.found())]
    guarded.proxy.reset()
    case.outcome(granted)
    seen = {ACTIONS.get(name, name) for name in guarded.proxy.calls}
    missing = {one.status for one in guarded.proxy.log if one.operation == "s3:GetObject"} & {404}
    assert missing
    assert {grant.action for grant in granted} == seen | {"s3:ListBucket"}


LINT = """
import json, sys, parliament
for line in sys.stdin:
    print(json.dumps([str(found) for found in parliament.analyze_policy_string(line).findings]))
"""


def _linted(policies: list[Any]) -> list[list[str]]:
    """What parliament finds in each policy; in a process of its own, since it warns of itself."""
    lines = "".join(json.dumps(policy) + "\n" for policy in policies)
    command = [sys.executable, "-W", "ignore", "-P", "-c", LINT]
    told = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_parliament_finds_nothing_in_our_policies_and_something_in_a_wrong_one(
    judge: Callable[[str], Judge],
) -> None:
    """An independent linter of policies knows every action and every kind of resource."""
    ours = [document([*grants(judge(name).found())], NAMES) for name in ("transactions", *SPECS)]
    wrong = document([Grant(action="s3:HeadObject", resource="arn:aws:s3:::b/*", reasons=())], {})
    *found, planted = _linted([*ours, wrong])
    assert found == [[] for _ in ours]
    assert planted
