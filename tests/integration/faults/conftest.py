"""Three of the shop's orders under a prefix of their own, and a database user whose password may change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from integration.faults.stage import SECRET, USER, Stage
from kit.network.proxy import Proxy
from kit.network.tcp import TcpProxy
from kit.oracle import oracle, oracle_lake
from kit.shop import Shop, edited_spec

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def stage(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything calm, anew for each file; nothing is cached, so that every delivery asks every service."""
    sink = "  connector: parquet\n"
    edits = {"    cache: 5m\n": "", sink: f"{sink}  table: faults.transactions\n"}
    spec = edited_spec(tmp_path_factory.mktemp("faults"), edits)
    sandbox, objects = shop.sandbox, shop.sample.objects
    with (
        Proxy(sandbox.aws.endpoint) as proxy,
        TcpProxy(("127.0.0.1", sandbox.mysql.port)) as tcp,
    ):
        login = {"host": "127.0.0.1", "port": tcp.port, "username": USER, "password": "canary-secret-faults"}
        sandbox.mysql.execute(
            f"CREATE OR REPLACE USER {USER}@'127.0.0.1' IDENTIFIED BY '{login['password']}'"
        )
        sandbox.mysql.execute(f"GRANT SELECT ON stores.* TO {USER}@'127.0.0.1'")
        sandbox.client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(login))
        keys = [*sorted(oracle.expect(shop.sample).rows)[:2], shop.sample.quirks["malformed"][0]]
        for key in keys:
            for name in (key, key.replace("transactions/", "items/").replace(".json", ".csv")):
                if name in objects:
                    shop.client.put_object(Bucket="shop-raw", Key=f"faults/{name}", Body=objects[name])
        stage = Stage(Shop(sandbox, shop.sample, proxy, shop.client), proxy, tcp, keys, spec, login)
        with pytest.MonkeyPatch.context() as patch:
            stage.begin(patch)
            assert stage.command("table", "--apply").failures == set()
        yield stage
        sandbox.client("glue").delete_table(DatabaseName="faults", Name="transactions")
        sandbox.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)


@pytest.fixture(scope="module")
def calm(stage: Stage) -> dict[str, str]:
    """The lake of a calm run, which has the rows that plain Python computes."""
    with pytest.MonkeyPatch.context() as patch:
        stage.begin(patch)
        delivered = stage.deliver()
        assert delivered.failures == set()
    expected = oracle.expect(stage.shop.sample).rows
    wanted = oracle.Expected(rows={key: expected[key] for key in stage.keys[:2]})
    assert oracle_lake.compare(wanted, oracle_lake.read_files(stage.shop.lake("faults"))) == []
    assert len(stage.shop.lake("faults", "quarantine")) == 1
    return stage.lake()
