"""Clients, secrets and counts against a real endpoint."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from plait.aws.retries import Deadline
from plait.engine.context import Services
from plait.plugin import GiveUp, Secret, TryAgain
from plait_sandbox.aws import LocalAws


@pytest.fixture
def secret(at_aws: LocalAws) -> Any:
    client = boto3.client("secretsmanager")
    names = []

    def make(name: Any, **value: Any) -> Any:
        client.create_secret(Name=name, **value)
        names.append(name)

    yield make
    for name in names:
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    client.close()


def test_calls_are_counted_by_iam_name_for_the_run_and_for_the_source(at_aws: LocalAws) -> None:
    services = Services()
    with services.on_behalf_of("activity"):
        services.client("dynamodb").list_tables()
        work = copy_context()
    services.client("logs").describe_log_groups()
    thread = threading.Thread(target=work.run, args=(services.client("dynamodb").list_tables,))
    thread.start()
    thread.join()
    services.context("stores", None).count("mysql:Query", 3)
    assert services.calls == {"dynamodb:ListTables": 2, "logs:DescribeLogGroups": 1, "mysql:Query": 3}
    assert services.calls_of("activity") == {"dynamodb:ListTables": 2}
    assert services.calls_of("stores") == {"mysql:Query": 3}
    assert services.calls_of("nobody") == {}
    services.reset_counts()
    assert services.calls == services.calls_of("activity") == {}


def test_every_attempt_of_a_call_counts(at_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    services = Services()
    client = services.client("secretsmanager")
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (10, 30)
    with pytest.raises(TryAgain, match="no answer"):
        services.secret("shop/db")
    assert services.calls == {"secretsmanager:GetSecretValue": 5}


@pytest.mark.usefixtures("s3")
def test_objects_share_the_count_and_the_clients() -> None:
    services = Services()
    context = services.context("orders", ("id",))
    with services.on_behalf_of("orders"):
        assert [*context.objects.list("s3://shop/")] == []
        assert len([*context.objects.get(["s3://shop/a", "s3://shop/b"])]) == 2
    assert services.calls_of("orders") == {"s3:ListObjectsV2": 1, "s3:GetObject": 2}
    assert services.client("s3") is context.client("s3")


@pytest.mark.usefixtures("s3")
def test_calls_of_all_threads_and_clients_wait_for_their_turn() -> None:
    """Objects are read by many threads, listed by boto3: 9 calls at 30 a second take 8 / 30 s at least."""
    services = Services(rates={"s3": 30})
    objects = services.objects
    begun = time.monotonic()
    assert [*objects.list("s3://shop/")] == []
    assert len([*objects.get([f"s3://shop/{n}" for n in range(8)])]) == 8
    assert time.monotonic() - begun >= 8 / 30
    assert services.calls.total() == 9


def test_a_call_whose_turn_comes_after_the_deadline_comes_again() -> None:
    services = Services(rates={"mysql": 0.1})
    services.deadline = Deadline(5)
    services.count("mysql:Query")
    with pytest.raises(TryAgain) as caught:
        services.count("mysql:Query")
    assert (caught.value.code, services.calls) == ("deadline", {"mysql:Query": 1})


def test_a_client_is_made_once_even_by_many_threads(at_aws: LocalAws) -> None:
    services = Services()
    clients = []
    threads = [threading.Thread(target=lambda: clients.append(services.client("sqs"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in clients}) == 1


def test_a_secret_is_read_once_and_again_when_fresh(secret: Any) -> None:
    secret("shop/db", SecretString='{"username": "canary-secret-u"}')
    services = Services()
    first = services.secret("shop/db")
    assert services.secret("shop/db") is first
    assert first["username"].reveal() == "canary-secret-u"
    assert services.calls == {"secretsmanager:GetSecretValue": 1}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="shop/db", SecretString='{"username": "canary-secret-v"}'
    )
    assert services.context("stores", None).secret("shop/db", fresh=True)["username"] == Secret(
        "canary-secret-v"
    )
    assert services.secret("shop/db")["username"] == Secret("canary-secret-v")


@pytest.mark.fault("S10")
@pytest.mark.parametrize(
    "value", ["canary-secret-2", '["canary-secret-2"]', '{"password": "canary-secret-2"']
)
def test_a_secret_that_is_no_mapping_is_refused_without_showing_it(secret: Any, value: Any) -> None:
    secret("bad", SecretString=value)
    with pytest.raises(GiveUp, match="not a JSON mapping") as caught:
        Services().secret("bad")
    error = caught.value
    assert "canary-secret-2" not in f"{error!r} {error.help} {error.__cause__!r} {error.__context__!r}"


def test_a_secret_that_is_missing_is_an_error_of_the_run(at_aws: LocalAws) -> None:
    with pytest.raises(GiveUp, match="`nope` cannot be used: ResourceNotFoundException"):
        Services().secret("nope")


def test_the_clock_can_be_set() -> None:
    then = datetime(2026, 7, 1, tzinfo=UTC)
    context = Services(now=lambda: then).context("orders", None)
    assert (context.now(), context.source, context.log.name) == (then, "orders", "plait.orders")
