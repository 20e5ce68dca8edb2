"""What connectors of AWS share: names of resources, and what reading objects takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.plugin import GiveUp, Statement, calling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.plugin import Context, DriverPath, FolderPath, LookupPath

FORBIDDEN = 403


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
    with calling(f"bucket `{path.bucket}`", service="s3"):
        region = s3.head_bucket(Bucket=path.bucket).get("BucketRegion")
    with calling("the account", service="sts"):
        account = context.client("sts").get_caller_identity()["Account"]
    here = s3.meta.region_name
    yield f"bucket in {region}" + ("" if region == here else f", and this is {here}: set AWS_REGION to it")
    yield "owned by this account" if _owned(s3, path.bucket, account) else "owned by another account"


def _owned(s3: Any, bucket: str, account: str) -> bool:
    """Whether an account owns a bucket that may be looked at, so that a 403 can only be for the account."""
    from botocore.exceptions import ClientError

    try:
        with calling(f"bucket `{bucket}`", service="s3"):
            s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except GiveUp as error:
        cause = error.__cause__
        if (
            isinstance(cause, ClientError)
            and cause.response["ResponseMetadata"]["HTTPStatusCode"] == FORBIDDEN
        ):
            return False
        raise
    return True
