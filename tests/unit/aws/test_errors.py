"""Errors of the clients of AWS become ours; a bug stays a bug."""

from __future__ import annotations

import pytest

from plait.aws.errors import calling
from plait.storage.s3_errors import explain


def test_a_bug_within_a_call_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), calling("table `orders`", service="dynamodb"):
        raise ZeroDivisionError


def test_a_bug_while_an_object_is_used_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError):
        explain("s3://shop/a", ZeroDivisionError())
