"""What the connectors for AWS share: ARNs, the rights to read objects, and facts about a bucket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.plugin import GiveUp, Statement, calling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.plugin import Context, DriverPath, FolderPath, LookupPath

FORBIDDEN = 403


def arn(service: str, resource: str) -> str:
    """Return the ARN of a resource where the function runs; an ARN is returned as it is."""
    prefix = f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:"
    return resource if resource.startswith("arn:") else prefix + resource


def secret_arn(name: str) -> str:
    """Return the ARN of a secret, in which a hyphen and six characters that AWS chose follow its name."""
    resource = arn("secretsmanager", name if name.startswith("arn:") else f"secret:{name}")
    is_whole = name.startswith("arn:") and re.search("-[A-Za-z0-9]{6}$", name)
    return resource if is_whole else f"{resource}-??????"


def read_permissions(path: DriverPath | LookupPath) -> Iterator[Statement]:
    """Yield the rights to read objects on S3, and to learn which of them are missing."""
    if path.bucket:
        yield Statement(
            actions=("s3:GetObject",), resources=(path.object_arn,), why=f"read the objects `{path.text}`"
        )
        why = "list the objects, and be told 404 for a missing one: without it S3 answers 403"
        yield Statement(actions=("s3:ListBucket",), resources=(path.bucket_arn,), why=why)


def bucket_facts(path: DriverPath | LookupPath | FolderPath, context: Context) -> Iterator[str]:
    """Yield the region of a path's bucket, and whether this account owns the bucket."""
    if not path.bucket:
        return
    s3 = context.client("s3")
    with calling(f"bucket `{path.bucket}`", service="s3"):
        region = s3.head_bucket(Bucket=path.bucket).get("BucketRegion")
    with calling("the account", service="sts"):
        account = context.client("sts").get_caller_identity()["Account"]
    own_region = s3.meta.region_name
    advice = "" if region == own_region else f", and this is {own_region}: set AWS_REGION to it"
    yield f"bucket in {region}{advice}"
    yield "owned by this account" if _is_owned(s3, path.bucket, account) else "owned by another account"


def _is_owned(s3: Any, bucket: str, account: str) -> bool:
    """Whether an account owns a bucket that was reached before, so that a 403 can only be about the owner."""
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
