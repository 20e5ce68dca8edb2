"""What AWS charges and allows by default, in one dated table; change it with its date."""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "2026-07"
WHERE = "list prices of us-east-1, in US dollars, without free tiers"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million of a unit."""

    dollars: float
    unit: str


@dataclass(frozen=True, slots=True)
class Quota:
    """How many units a second AWS allows by default, and of what."""

    a_second: float
    scope: str


PRICES = {
    "s3:GetObject": Price(0.40, "request"),
    "s3:HeadObject": Price(0.40, "request"),
    "s3:ListObjectsV2": Price(5.00, "request"),
    "s3:PutObject": Price(5.00, "request"),
    "dynamodb:BatchGetItem": Price(0.125, "read unit on demand"),
    "secretsmanager:GetSecretValue": Price(5.00, "request"),
    "logs:FilterLogEvents": Price(0.00, "request"),
    "sqs:Requests": Price(0.40, "request"),
    "lambda:Invoke": Price(0.20, "invocation"),
    "lambda:GBSeconds": Price(16.6667, "GB-second on x86_64"),
}
QUOTAS = {
    "s3:GetObject": Quota(5_500, "each prefix of a bucket"),
    "s3:PutObject": Quota(3_500, "each prefix of a bucket"),
    "dynamodb:BatchGetItem": Quota(40_000, "read units of a table on demand"),
    "secretsmanager:GetSecretValue": Quota(10_000, "account and region"),
    "logs:FilterLogEvents": Quota(5, "account and region, cannot be raised"),
}
CONCURRENCY = 1_000  # invocations of all functions of an account at one time
