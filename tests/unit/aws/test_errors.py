"""Errors of the clients of AWS become ours; a bug stays a bug."""

from __future__ import annotations

import contextlib

import boto3
import pytest
from botocore.exceptions import ClientError

from kit.network.faults import fail
from kit.network.proxy import Proxy
from kit.servers.buckets import buckets
from kit.tables import table
from plait.aws.errors import calling
from plait.engine.context import Services
from plait.plugin import PlaitError, TryAgain
from plait.storage.s3_errors import s3_error
from plait_sandbox.aws import LocalAws


def test_a_bug_within_a_call_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), calling("table `orders`", service="dynamodb"):
        raise ZeroDivisionError


def test_a_bug_while_an_object_is_used_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError):
        s3_error("s3://shop/a", ZeroDivisionError())


@pytest.mark.parametrize(("code", "status", "error", "ours"), table("aws_errors.yaml"))
def test_an_error_of_aws_is_raised_by_what_the_caller_can_do(
    code: str, status: int, error: str, ours: str
) -> None:
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(PlaitError) as raised, calling("table `orders`", service="dynamodb"):
        raise ClientError(answer, "BatchGetItem")  # type: ignore[arg-type]
    assert (type(raised.value).__name__, raised.value.code) == (error, ours)
    assert "table `orders`" in raised.value.message


@pytest.mark.parametrize("times", [1, 99])
def test_a_conflict_of_two_requests_is_tried_again_although_botocore_would_not(
    at_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Five times at most, and then it comes again."""
    conflict = fail(409, b"<Error><Code>ConditionalRequestConflict</Code><Message>wait</Message></Error>")
    with Proxy(at_aws.endpoint) as proxy, buckets(boto3.client("s3"), "shop"):
        proxy.on(1, "before", conflict, operation="s3:DeleteObject", forever=times > 1)
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        services = Services()
        with contextlib.nullcontext() if times == 1 else pytest.raises(TryAgain), calling("it", service="s3"):
            services.client("s3").delete_object(Bucket="shop", Key="a")
        assert services.calls == {"s3:DeleteObject": min(times + 1, 5)}
