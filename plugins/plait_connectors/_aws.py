"""The errors of AWS clients, as what a user can do about them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from plait.api import GiveUp, PlaitError, Statement, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.api import Context, DriverPath, FolderPath, LookupPath

LATER = ("Throttl", "TooManyRequests", "LimitExceeded", "ThroughputExceeded", "RequestTimeout", "SlowDown")
HELP = {
    "AccessDenied": "allow `{action}` on it",
    "UnauthorizedOperation": "allow `{action}` on it",
    "ResourceNotFound": "check its name, the account and the region",
    "ValidationException": "join on all key attributes of the table, each in its own type",
    "InvalidParameter": "check the option `filter`",
    "ExpiredToken": "renew the credentials",
    "UnrecognizedClient": "check the credentials",
    "InvalidSignature": "check the credentials",
}


def arn(service: str, resource: str) -> str:
    """The ARN of a resource named as the service names it; what is an ARN already stays one."""
    here = f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:"
    return resource if resource.startswith("arn:") else here + resource


def reads(path: DriverPath | LookupPath) -> Iterator[Statement]:
    """What it takes to read objects on S3 and to be told which are not there."""
    if path.bucket:
        yield Statement(
            actions=("s3:GetObject",), resources=(path.object_arn,), why=f"read the objects `{path.text}`"
        )
        why = "list the objects, and be told 404 for a missing one: without it S3 answers 403"
        yield Statement(actions=("s3:ListBucket",), resources=(path.bucket_arn,), why=why)


def bucket_facts(path: DriverPath | LookupPath | FolderPath, context: Context) -> Iterator[str]:
    """The region of a path's bucket, and whether this account owns it."""
    if not path.bucket:
        return
    s3 = context.client("s3")
    with calling(f"bucket `{path.bucket}`", prefix="s3"):
        region = s3.head_bucket(Bucket=path.bucket).get("BucketRegion")
        account = context.client("sts").get_caller_identity()["Account"]
    here = s3.meta.region_name
    yield f"bucket in {region}" + ("" if region == here else f", and this is {here}: set AWS_REGION to it")
    yield "owned by this account" if _owned(s3, path.bucket, account) else "owned by another account"


def _owned(s3: Any, bucket: str, account: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError:
        return False
    return True


@contextmanager
def calling(what: str, *, prefix: str) -> Iterator[None]:
    """Turn the errors of a boto3 client into TryAgain or GiveUp; `prefix` is the service's word in IAM."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _answered(error, what, prefix) from error
    except BotoCoreError as error:
        raise _unanswered(error, what) from error


def _answered(error: Any, what: str, prefix: str) -> PlaitError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = str(error.response.get("Error", {}).get("Message", ""))[:200]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{what}: {code}: {text}" if text else f"{what}: {code}"
    if status >= 500 or any(word in code for word in LATER):
        return TryAgain(message)
    action = f"{prefix}:{error.operation_name}"
    for word, help in HELP.items():
        if word in code:
            return GiveUp(message, help=help.format(action=action))
    return GiveUp(message)


def _unanswered(error: Exception, what: str) -> PlaitError:
    from botocore.exceptions import ConnectionError as Unconnected
    from botocore.exceptions import HTTPClientError, PaginationError, ResponseStreamingError

    message = f"{what}: {str(error)[:200]}"
    if isinstance(error, (Unconnected, HTTPClientError, PaginationError, ResponseStreamingError)):
        return TryAgain(message)
    return GiveUp(message, help="check the credentials and the region")
