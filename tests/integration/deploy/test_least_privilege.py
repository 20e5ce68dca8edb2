"""Each pipeline runs under the policy that is derived from it, and under no smaller one."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kit.locked import locked
from kit.network.proxy import Proxy
from kit.oracle import oracle
from kit.paths import ROOT
from kit.shop import SPEC, HandlerRun, Shop, queue
from kit.specs import valid
from kit.tables import table
from plait.deploy.policy import Grant, grants, policy_document
from plait.language.spec import Spec
from plait.language.validate import validate_for_run
from plait_sandbox import sample, start_sandbox

NAMES = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}
USER = "function"
PRIVILEGE = table("privilege.yaml")
SPECS, LOOKUPS = PRIVILEGE["specs"], PRIVILEGE["lookups"]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Shop]:
    """The filled sandbox on a server that can enforce IAM."""
    shop_sample = sample()
    with contextlib.ExitStack() as started:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(ROOT / "tests"))
            sandbox = started.enter_context(start_sandbox("mariadb", server="kit.servers.iam_server"))
        proxy = started.enter_context(Proxy(sandbox.aws.endpoint))
        sandbox.fill(shop_sample, announce=False)
        glue = sandbox.client("glue")
        glue.create_database(DatabaseInput={"Name": "shop"})
        keys = [{"Name": "day", "Type": "date"}]
        table_input: Any = {"Name": "orders", "PartitionKeys": keys, "StorageDescriptor": {"Columns": []}}
        glue.create_table(DatabaseName="shop", TableInput=table_input)
        yield Shop(sandbox, shop_sample, proxy, sandbox.client("s3"))


@dataclass
class Judge:
    """Runs a spec under a policy and returns what became of its objects."""

    shop: Shop
    spec: Path
    lake: str
    credentials: dict[str, str]

    def validated_spec(self) -> Spec:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LAKE", f"s3://shop-lake/{self.lake}")
            spec = validate_for_run(str(self.spec), {}, env=["LAKE"]).spec
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
        self.shop.put(order, body + b" ")
        if self.spec.stem == "lines":  # whose file in quarantine goes when its object is mended
            self.shop.put(bad, body)
        second = self._enforced([queue([order, bad, other])])
        for key in (order, bad):
            self.shop.put(key, self.shop.sample.objects[key])
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

    def _enforced(self, events: list[Any]) -> HandlerRun:
        environment = {**self.credentials, "PLAIT_SPEC": locked(self.spec)}
        _reset_auth(self.shop, "0")
        try:
            return self.shop.fork(self.lake, events, **environment)
        finally:
            _reset_auth(self.shop, "inf")


def _reset_auth(shop: Shop, count: str) -> None:
    url, headers = f"{shop.sandbox.aws.endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
    urllib.request.urlopen(urllib.request.Request(url, count.encode(), headers)).read()


@pytest.fixture(scope="module")
def credentials(guarded: Shop) -> dict[str, str]:
    iam = guarded.sandbox.client("iam")
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def _text(name: str, **blocks: Any) -> str:
    return json.dumps({"plait": 1, "name": name, **blocks})


@pytest.fixture
def judge(guarded: Shop, credentials: dict[str, str], tmp_path: Path) -> Callable[[str], Judge]:
    def make(name: str) -> Judge:
        lake = f"privilege-{name}"
        if name == "transactions":
            return Judge(guarded, SPEC, lake, credentials)
        file = tmp_path / f"{name}.yaml"
        file.write_text(_text(name, **SPECS[name]).replace("LAKE", lake), encoding="utf-8")
        return Judge(guarded, file, lake, credentials)

    return make


@pytest.mark.parametrize("name", ["transactions", *SPECS])
@pytest.mark.fault("P2")
def test_the_policy_suffices_and_no_grant_of_it_can_be_left_out(
    judge: Callable[[str], Judge], name: str
) -> None:
    """The outcome is that of an administrator; with any one resource replaced, something fails.

    The run has a missing object, one without its items, a malformed one, an overwritten one, and a second delivery;
    of `lines` the malformed one is mended before it.
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


ON_SPARK = """
import sys
from pathlib import Path
from plait.backfill.spark import drive, run_in_process
state, folder = sys.argv[1], Path(sys.argv[2])
def run(numbers, rates):
    return [run_in_process(folder, state, rates, number) for number in numbers]
sys.exit(drive(None, run, folder, state, ""))
"""


@pytest.mark.fault("P2")
def test_a_backfill_on_spark_runs_under_its_policy_and_needs_each_grant_of_its_state(
    guarded: Shop, judge: Callable[[str], Judge]
) -> None:
    """By what driver and executors run; the state is that of an administrator's plan."""
    case = judge("transactions")
    spec = case.validated_spec()
    planned = guarded.command(case.lake, "backfill", str(SPEC), "--all", "--on", "spark", "-o", "json")
    state = json.loads(planned.stdout)["state"]
    command = [sys.executable, "-P", "-c", ON_SPARK, state, str(Path(locked(SPEC)).parent)]
    iam = guarded.sandbox.client("iam")

    def run(granted: list[Grant]) -> int:
        policy = json.dumps(policy_document(granted, NAMES))
        iam.put_user_policy(UserName=USER, PolicyName="pipeline", PolicyDocument=policy)
        environment = {**guarded.environment(case.lake), **case.credentials}
        _reset_auth(guarded, "0")
        try:
            return subprocess.run(command, env=environment, check=False, capture_output=True).returncode
        finally:
            _reset_auth(guarded, "inf")

    granted = [*grants(spec, on_spark=True)]
    of_state = [grant for grant in granted if grant not in grants(spec)]
    assert len(of_state) == 3
    for grant in of_state:
        assert run([other for other in granted if other != grant]) == 1, grant
    assert run(granted) == 0


def _granted(*lookups: str) -> set[tuple[str, str]]:
    blocks = SPECS["quarantine"]
    sources = blocks["sources"] | {name: LOOKUPS[name] for name in lookups}
    granted = grants(valid(_text("any", **{**blocks, "sources": sources})))
    return {(grant.action, grant.resource) for grant in granted}


@pytest.mark.parametrize("number", [2, 3, 4])
def test_look_ups_together_are_granted_what_each_is_granted_alone(number: int) -> None:
    """So what suffices for each suffices for all, and `transactions` has tried all four together."""
    for names in combinations(LOOKUPS, number):
        assert _granted(*names) == set().union(*map(_granted, names))


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
    policies = [
        policy_document([*grants(judge(name).validated_spec())], NAMES) for name in ("transactions", *SPECS)
    ]
    wrong = policy_document([Grant(action="s3:HeadObject", resource="arn:aws:s3:::b/*", reasons=())], {})
    *findings, planted = _linted([*policies, wrong])
    assert findings == [[] for _ in policies]
    assert planted
