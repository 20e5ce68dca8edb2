"""The obstore store of a bucket, with the settings and the patience that botocore's clients have too."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plait.aws.environment import check_settings, endpoint, region
from plait.aws.retries import FIRST_PAUSE, MAX_PAUSE, MAX_TRIES
from plait.plugin import GiveUp

if TYPE_CHECKING:
    from plait.aws.retries import RetryPolicy

BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}\Z", re.ASCII)


def open_store(bucket: str, retry_policy: RetryPolicy) -> Any:
    """An obstore store of a bucket, with the environment's endpoint, region and credentials.

    Raises GiveUp for wrong settings, for a name that no bucket can have, and where no credentials are found.
    """
    from obstore.store import S3Store

    check_settings()
    if not BUCKET.match(bucket):
        raise GiveUp(
            f"`s3://{bucket[:200]}` has no bucket's name", code="not-found", help="check the bucket's name"
        )
    address = endpoint()
    config: dict[str, Any] = {"endpoint": address, "region": region()}
    limits = {"connect_timeout": retry_policy.connect, "timeout": retry_policy.timeout}
    client_options: Any = {name: f"{max(round(seconds * 1000), 1)}ms" for name, seconds in limits.items()}
    if address:
        config["virtual_hosted_style_request"] = False
        client_options["allow_http"] = address.startswith("http:")
    if not os.environ.get("AWS_ACCESS_KEY_ID"):
        config["credential_provider"] = _credential_provider()
    return S3Store(
        bucket,
        client_options=client_options,
        retry_config=_retry_config(retry_policy),
        checksum_algorithm="SHA256",
        **{name: value for name, value in config.items() if value is not None},
    )


def _retry_config(retry_policy: RetryPolicy) -> Any:
    first, longest = (
        timedelta(seconds=max(seconds * retry_policy.backoff, 0.001)) for seconds in (FIRST_PAUSE, MAX_PAUSE)
    )
    return {
        "max_retries": MAX_TRIES - 1,
        "backoff": {"init_backoff": first, "max_backoff": longest, "base": 2},
        "retry_timeout": timedelta(seconds=2 * retry_policy.timeout),
    }


def _credential_provider() -> Any:
    """The credentials that boto3 finds, beyond those of the environment."""
    from obstore.auth.boto3 import Boto3CredentialProvider

    try:
        return Boto3CredentialProvider()
    except ValueError:
        raise GiveUp("no AWS credentials were found", help="set AWS_PROFILE or log in") from None
