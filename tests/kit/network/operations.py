"""The name of an AWS request, as `service:Operation`."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from kit.tables import table

_OF_S3 = table("operations.yaml")
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]*/([^/]+)/aws4_request")
_CBOR = re.compile(r"/service/([^/]+)/operation/([^/]+)")


def operation(method: str, target: str, headers: Mapping[str, str], body: bytes) -> str:
    """Name a request by its method, path, query, headers and body, whatever protocol its service speaks."""
    signed = _SCOPE.search(headers.get("authorization", ""))
    if named := headers.get("x-amz-target"):
        prefix, _, action = named.rpartition(".")
    elif cbor := _CBOR.fullmatch(target):
        prefix, action = cbor.groups()
    elif form := _form_action(target, headers, body):
        prefix, action = "query", form
    elif signed is not None and signed[1] != "s3":
        prefix, action = "rest", f"{method} {urlsplit(target).path}"
    elif target.startswith("/moto-api/"):
        return f"moto-api:{target.removeprefix('/moto-api/')}"
    else:
        return f"s3:{_s3(method, target, headers)}"
    return f"{signed[1] if signed else _service(prefix)}:{action}"


def _service(prefix: str) -> str:
    return re.sub(r"^(Amazon|AWS)", "", prefix).split("_")[0].lower()


def _form_action(target: str, headers: Mapping[str, str], body: bytes) -> str | None:
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    query = parse_qs(body.decode("utf-8", "replace") if form else urlsplit(target).query)
    return query.get("Action", [None])[0]


def _s3(method: str, target: str, headers: Mapping[str, str]) -> str:
    parts = urlsplit(target)
    bucket, _, key = parts.path.lstrip("/").partition("/")
    if not bucket:
        return "ListBuckets"
    query = {"", *parse_qs(parts.query, keep_blank_values=True)}
    names = _OF_S3["object" if key else "bucket"].get(method, {})
    name = next((name for word, name in names.items() if word in query), f"{method}?{parts.query}")
    return "CopyObject" if name == "PutObject" and "x-amz-copy-source" in headers else name
