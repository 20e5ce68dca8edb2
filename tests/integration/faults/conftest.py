"""The shop, filled once, with three of its orders under a prefix of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from integration.main_job.payload import salted
from integration.main_job.shop import SPEC, Shop
from kit import oracle, oracle_lake
from kit.proxy import Proxy
from kit.tcp import TcpProxy
from plait_sandbox import Sandbox, sample
from reliability.results import results

from .stage import SECRET, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["calm", "results", "stage"]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything calm; nothing is cached, so that every delivery asks every service."""
    text, cache = SPEC.read_text(encoding="utf-8"), "    cache: 5m\n"
    assert text.count(cache) == 1
    spec = tmp_path_factory.mktemp("faults") / "transactions.yaml"
    spec.write_text(text.replace(cache, ""), encoding="utf-8")
    with (
        Sandbox() as sandbox,
        Proxy(sandbox.aws.endpoint) as proxy,
        TcpProxy(("127.0.0.1", sandbox.mysql.port)) as tcp,
    ):
        found = salted(sample())
        sandbox.fill(found, announce=False)
        secrets, s3 = sandbox.client("secretsmanager"), sandbox.client("s3")
        login = json.loads(secrets.get_secret_value(SecretId="shop/stores-db")["SecretString"])
        login["port"] = tcp.port
        secrets.create_secret(Name=SECRET, SecretString=json.dumps(login))
        keys = [*sorted(oracle.expect(found).rows)[:2], found.quirks["malformed"][0]]
        for key in keys:
            for name in (key, key.replace("transactions/", "items/").replace(".json", ".csv")):
                if name in found.objects:
                    s3.put_object(Bucket="shop-raw", Key=f"faults/{name}", Body=found.objects[name])
        yield Stage(Shop(sandbox, found, proxy, s3), proxy, tcp, keys, spec, login)


@pytest.fixture(scope="session")
def calm(stage: Stage) -> dict[str, str]:
    """The lake of a calm run, which has the rows that plain Python computes."""
    with pytest.MonkeyPatch.context() as patch:
        stage.begin(patch)
        told = stage.deliver()
        assert told.failures == set()
    expected = oracle.expect(stage.shop.sample).rows
    wanted = oracle.Expected(rows={key: expected[key] for key in stage.keys[:2]})
    assert oracle_lake.compare(wanted, oracle_lake.read_files(stage.shop.lake("faults"))) == []
    assert len(stage.shop.lake("faults", "quarantine")) == 1
    return stage.lake()
