"""Errors of the clients of AWS become ours; a bug stays a bug."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from kit.tables import table
from plait.aws.errors import calling
from plait.plugin import PlaitError
from plait.storage.s3_errors import s3_error


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
