"""moto's server with IAM as AWS has it: resources of every service, wildcards, and 403 for a key that is not there.

Run as a module like `plait_sandbox.moto_server`. `POST /moto-api/reset-auth` with `0` enforces, with `inf` lifts.
"""

import fnmatch
import json
import re
from typing import Any

from moto import settings
from moto.athena.models import athena_backends
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import IAMPolicyStatement, IAMRequest, S3IAMRequest
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends

from plait_sandbox.moto_server import serve

VARIABLE = re.compile(r"\$\{([*?$])\}")
READS = {"GetObject", "HeadObject"}


def matches(pattern: str, text: str) -> bool:
    """IAM's matching: `*` and `?`, each of which `${*}` and `${?}` take literally."""
    parts = VARIABLE.split(pattern)
    plain = [part.replace("[", "[[]") if n % 2 == 0 else f"[{part}]" for n, part in enumerate(parts)]
    return fnmatch.fnmatchcase(text, "".join(plain))


def resources(service: str, region: str, account: str, body: dict[str, Any]) -> list[str]:
    """The resources that a request of a JSON service is about, as IAM names them."""
    here = f"arn:aws:{service}:{region}:{account}"
    if service == "dynamodb":
        tables = body.get("RequestItems") or {body.get("TableName", "*"): None}
        return [name if name.startswith("arn:") else f"{here}:table/{name}" for name in tables]
    if service == "logs":
        return [f"{here}:log-group:{body.get('logGroupName', '*')}:log-stream:"]
    if service == "glue":
        database = body.get("DatabaseName", "*")
        table = body.get("TableName") or body.get("Name", "*")
        return [f"{here}:catalog", f"{here}:database/{database}", f"{here}:table/{database}/{table}"]
    if service == "athena":
        execution = athena_backends[account][region].executions.get(body.get("QueryExecutionId", ""))
        group = execution.workgroup.name if execution and execution.workgroup else body.get("WorkGroup", "*")
        return [f"{here}:workgroup/{group}"]
    if service == "secretsmanager":
        name = str(body.get("SecretId", "*"))
        secrets = secretsmanager_backends[account][region].secrets
        return [secrets[name].arn if name in secrets else name]
    return ["*"]


def enforce_as_aws_does() -> None:
    """Put our resources in the place of moto's `*`, and its own matcher out of the way."""
    IAMPolicyStatement._match = staticmethod(  # type: ignore[method-assign, assignment]
        lambda pattern, text: matches(pattern, text) or None  # moto looks for None
    )
    plain_s3 = ActionAuthenticatorMixin._authenticate_and_authorize_s3_action

    def normal(self: Any, _resource: str = "*") -> None:
        scope = self.headers.get("Authorization", "").partition("Credential=")[2].split("/")
        region, service = scope[2:4] if len(scope) > 3 else ("", "")
        for resource in resources(service, region, self.current_account, _json(self.body)):
            self._authenticate_and_authorize_action(IAMRequest, resource)

    def s3(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        plain_s3(self, bucket_name, key_name)
        action = self._get_action()
        if (
            _enforced()
            and action in READS
            and bucket_name
            and key_name
            and not _there(self, bucket_name, key_name)
        ):
            request = S3IAMRequest(
                account_id=self.current_account,
                method=self.method,
                path=self.raw_path,
                data=self.data,
                body=self.raw_body,
                headers=self.headers,
                action="ListBucket",
            )
            request.check_action_permitted(f"arn:aws:s3:::{bucket_name}")

    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = normal  # type: ignore[method-assign, assignment]
    ActionAuthenticatorMixin._authenticate_and_authorize_s3_action = s3  # type: ignore[method-assign]


def _enforced() -> bool:
    return bool(settings.INITIAL_NO_AUTH_ACTION_COUNT == 0)


def _there(response: Any, bucket: str, key: str) -> bool:
    return s3_backends[response.current_account]["aws"].get_object(bucket, key) is not None


def _json(body: Any) -> dict[str, Any]:
    if isinstance(body, dict):  # as moto's DynamoDB has it
        return body
    try:
        document = json.loads(body)
    except (ValueError, TypeError):
        return {}
    return document if isinstance(document, dict) else {}


if __name__ == "__main__":
    enforce_as_aws_does()
    serve()
