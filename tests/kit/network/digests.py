"""What S3 does and moto does not: a body that is not what its headers say is refused."""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator

from kit.network.faults import Answer
from kit.network.wire import Message

CHECKSUM = re.compile("x-amz-checksum-(?:sha|crc)")
UNSIGNED = ("", "UNSIGNED-PAYLOAD")


def refusal(message: Message) -> Answer | None:
    """S3's answer to a body that was damaged on its way; None where the body is whole, or nothing says what it was."""
    code = next((code for code, promised, is_ in _digests(message) if promised != is_), None)
    text = f"<Error><Code>{code}</Code><Message>the body is not what was sent</Message></Error>"
    return Answer(400, text.encode()) if code else None


def sums(message: Message) -> tuple[str, ...]:
    """The headers that tell S3 what the body is, whoever signed them."""
    return tuple(name for name in message.headers if name == "content-md5" or CHECKSUM.match(name))


def _digests(message: Message) -> Iterator[tuple[str, str, str]]:
    headers, body = message.headers, message.body
    signed = headers.get("x-amz-content-sha256", "")
    if signed not in UNSIGNED and not signed.startswith("STREAMING-"):
        yield "XAmzContentSHA256Mismatch", signed, hashlib.sha256(body).hexdigest()
    digests = {
        "content-md5": hashlib.md5(body, usedforsecurity=False).digest(),
        "x-amz-checksum-sha256": hashlib.sha256(body).digest(),
        "x-amz-checksum-crc32": zlib.crc32(body).to_bytes(4, "big"),
    }
    for name, digest in digests.items():
        if name in headers:
            yield "BadDigest", headers[name], base64.b64encode(digest).decode()
