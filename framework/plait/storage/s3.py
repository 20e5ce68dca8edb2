"""Objects on S3: obstore for the usual keys, boto3 for listing and for keys that obstore bends."""

from __future__ import annotations

import os
import re
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from plait.aws.environment import check_settings, endpoint, region
from plait.aws.errors import DAMAGED, SETTINGS, UnreadableAnswer, meaning, reason, told
from plait.aws.retries import LONGEST, PAUSE, TRIES
from plait.plugin import (
    Changed,
    GiveUp,
    Item,
    Missing,
    PlaitError,
    Put,
    StoredObject,
    TryAgain,
    Written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plait.aws.retries import RetryPolicy

T = TypeVar("T")

# obstore refuses empty and dotted segments and control characters, and drops slashes at both ends.
BENT = re.compile(r"(^|/)(\.{0,2})(/|$)|[\x00-\x1f\x7f]")
BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}\Z", re.ASCII)
SOURCE_ETAG = "plait-source-etag"
ROUNDS = 3
DENIED = (
    "allow the role `{action}` on it; S3 answers so too for an object that is not there where the role may not "
    "`s3:ListBucket`, and where the requester has to pay, which is not supported"
)
PUT_DENIED = (
    "allow the role `{action}` on it; a bucket of another account has to allow it too, by its own policy"
)
LOCKED = "write into a bucket without object lock, or look at its retention"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at a key: its ETag as S3 spells it, and the ETag of what it was made from."""

    etag: str
    made_from: str | None


def cut(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def plain(etag: str | None) -> str | None:
    """An ETag without its quotes."""
    return etag.strip('"') if etag else etag


def explain(uri: str, error: Exception) -> Missing | PlaitError:
    """What an error of S3, obstore or boto3 means to the caller."""
    if isinstance(error, PlaitError):
        return error
    code, status = reason(error)
    if (
        code in ("NoSuchKey", "KeyTooLongError")
        or (status == 404 and not code)
        or isinstance(error, UnicodeEncodeError)
    ):
        return Missing(uri)
    if "Generic Config error" in str(error):
        message = f"`{uri[:200]}` cannot be used: {SETTINGS.word}"
        return GiveUp(message, code=SETTINGS.code, help=SETTINGS.help)
    known = told(error, f"`{uri[:200]}`", service="s3", helps=_helps(str(error)))
    if known is None:
        raise error
    known.__cause__ = error
    return known


def _fits(size: int, limit: int | None) -> bool:
    return limit is None or size <= limit


def _helps(text: str) -> dict[str, str]:
    """What to do, by our codes, where the text of an answer knows more than its code."""
    if re.search("object.?lock", text, re.IGNORECASE):
        return dict.fromkeys(("denied", "wrong-request"), LOCKED)
    if key_action := re.search(r"\bkms:\w+", text):
        return {"denied": f"allow the role `{key_action[0]}` on the key that encrypts the object"}
    return {"denied": PUT_DENIED if re.search(r"performing PUT|PutObject operation", text) else DENIED}


def _once_more(ask: Callable[[], T]) -> T:
    """Ask again where what came is not S3's or damaged, or nothing came and obstore did not ask again by itself."""
    try:
        return _guarded(ask)
    except Exception as error:
        unread = isinstance(error, UnreadableAnswer)
        unasked = type(error).__name__ == "GenericError" and not re.search(r"after \d+ retries", str(error))
        damaged = meaning(error) is DAMAGED
        if not (unread or damaged or (unasked and not reason(error)[1])):
            raise
    return _guarded(ask)


def _guarded(ask: Callable[[], T]) -> T:
    """Ask; where obstore itself breaks off, in a way that no `except Exception` sees, raise GiveUp."""
    try:
        return ask()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise GiveUp("the client of S3 broke off", code=SETTINGS.code, help=SETTINGS.help) from error


def _etag(given: str | None) -> str:
    if not given:
        raise UnreadableAnswer  # S3 never leaves it out
    return given


def lost(error: Exception) -> bool:
    """Whether a put was refused because something else stands there."""
    if type(error).__name__ in ("AlreadyExistsError", "PreconditionError"):
        return True
    return reason(error)[0] in ("PreconditionFailed", "ConditionalRequestConflict")


class S3:
    """Single requests to S3, each counted; methods raise what the client raises."""

    def __init__(
        self,
        count: Callable[[str, int], None],
        client: Callable[[str], Any],
        patience: Callable[[], RetryPolicy],
    ) -> None:
        self._count = count
        self._client = client
        self._patience = patience
        self._lock = threading.Lock()
        self._stores: dict[str, Any] = {}

    def find(self, prefix: str) -> Iterator[Item]:
        """The objects whose URI begins with the prefix, in S3's order."""
        bucket, start = cut(prefix)
        pages = self._client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
        for page in pages:
            for found in page.get("Contents", ()):
                yield Item(
                    uri=f"s3://{bucket}/{found['Key']}",
                    size=found["Size"],
                    modified=found["LastModified"],
                    etag=plain(found["ETag"]),
                )

    def get(self, uri: str, limit: int | None = None) -> StoredObject:
        """The bytes of an object, which stay where they are if its size, known before them, is above the limit."""
        return _once_more(lambda: self._get(uri, limit))

    def _get(self, uri: str, limit: int | None) -> StoredObject:
        bucket, key = cut(uri)
        if BENT.search(key):
            answer = self._client("s3").get_object(Bucket=bucket, Key=key)
            etag = _etag(answer.get("ETag"))
            size, modified = answer["ContentLength"], answer["LastModified"]
            with closing(answer["Body"]) as body:
                data = body.read() if _fits(size, limit) else b""
        else:
            import obstore

            self._count("s3:GetObject", 1)
            result = obstore.get(self._store(bucket), key)
            etag = _etag(result.meta["e_tag"])
            size, modified = result.meta["size"], result.meta["last_modified"]
            data = bytes(result.bytes()) if _fits(size, limit) else b""
        return StoredObject(item=Item(uri=uri, size=size, modified=modified, etag=plain(etag)), data=data)

    def head(self, uri: str) -> Head:
        """Which version of an object stands there."""
        return _once_more(lambda: self._head(uri))

    def _head(self, uri: str) -> Head:
        bucket, key = cut(uri)
        if BENT.search(key):
            answer = self._client("s3").head_object(Bucket=bucket, Key=key)
            return Head(_etag(answer.get("ETag")), answer["Metadata"].get(SOURCE_ETAG))
        import obstore

        self._count("s3:HeadObject", 1)
        result = obstore.get(self._store(bucket), key, options={"head": True})
        return Head(_etag(result.meta["e_tag"]), result.attributes.get(SOURCE_ETAG))

    def put(self, put: Put) -> Written:
        """Store an object; one made from an S3 object only while nothing newer stands there."""
        source = put.source
        if source is None or not source.etag or not source.uri.startswith("s3://"):
            _once_more(lambda: self._put(put, None))
        else:
            self._put_newest(put, source.uri, plain(source.etag) or "")
        return Written(uri=put.uri, rows=0, bytes=len(put.data))

    def delete(self, item: Item) -> None:
        """Remove an object; where the item has an ETag, only if it is still that version, else raise Changed."""
        bucket, key = cut(item.uri)
        condition = {"IfMatch": f'"{plain(item.etag)}"'} if item.etag else {}
        try:
            self._client("s3").delete_object(Bucket=bucket, Key=key, **condition)
        except Exception as error:
            if lost(error):
                raise Changed(f"`{item.uri[:200]}` is another version by now") from error
            raise

    def _put_newest(self, put: Put, source: str, etag: str) -> None:
        for _ in range(ROUNDS):
            if self._try(put, etag, "*"):
                return
            seen = self._seen(put.uri)
            if seen is None:
                continue
            if seen.made_from != etag:
                now = self._seen(source)
                if now is None or plain(now.etag) != etag:
                    raise Changed(f"`{source[:200]}` changed while it was read")
            if self._try(put, etag, seen.etag):
                return
        raise TryAgain(f"`{put.uri[:200]}` is written by others at the same time")

    def _seen(self, uri: str) -> Head | None:
        try:
            return self.head(uri)
        except Exception as error:
            if isinstance(explain(uri, error), Missing):
                return None
            raise

    def _try(self, put: Put, etag: str, match: str) -> bool:
        try:
            # What a lost answer said is found out by the next try, which then meets its own file.
            _once_more(lambda: self._put(put, etag, match))
        except Exception as error:
            if lost(error):
                return False
            raise
        return True

    def _put(self, put: Put, etag: str | None, match: str = "") -> None:
        """Put once; `match` is empty, `*` for create-only, or the ETag that must stand there."""
        bucket, key = cut(put.uri)
        notes = {SOURCE_ETAG: etag} if etag else {}
        if BENT.search(key):
            condition = {"IfNoneMatch": "*"} if match == "*" else {"IfMatch": match} if match else {}
            self._client("s3").put_object(Bucket=bucket, Key=key, Body=put.data, Metadata=notes, **condition)
            return
        import obstore

        self._count("s3:PutObject", 1)
        mode: Any = "create" if match == "*" else {"e_tag": match} if match else "overwrite"
        obstore.put(self._store(bucket), key, put.data, attributes=notes, mode=mode, use_multipart=False)

    def _store(self, bucket: str) -> Any:
        with self._lock:
            if bucket not in self._stores:
                self._stores[bucket] = open_store(bucket, self._patience())
            return self._stores[bucket]


def open_store(bucket: str, patience: RetryPolicy) -> Any:
    """An obstore store of a bucket, with the environment's endpoint, region and credentials."""
    from obstore.store import S3Store

    check_settings()
    if not BUCKET.match(bucket):
        raise GiveUp(
            f"`s3://{bucket[:200]}` has no bucket's name", code="not-found", help="check the bucket's name"
        )
    address = endpoint()
    given: dict[str, Any] = {"endpoint": address, "region": region()}
    limits = {"connect_timeout": patience.connect, "timeout": patience.timeout}
    options: Any = {name: f"{max(round(seconds * 1000), 1)}ms" for name, seconds in limits.items()}
    if address:
        given["virtual_hosted_style_request"] = False
        options["allow_http"] = address.startswith("http:")
    if not os.environ.get("AWS_ACCESS_KEY_ID"):
        given["credential_provider"] = _chain()
    return S3Store(
        bucket,
        client_options=options,
        retry_config=_retries(patience),
        checksum_algorithm="SHA256",
        **{name: value for name, value in given.items() if value is not None},
    )


def _retries(patience: RetryPolicy) -> Any:
    first, longest = (timedelta(seconds=max(s * patience.backoff, 0.001)) for s in (PAUSE, LONGEST))
    return {
        "max_retries": TRIES - 1,
        "backoff": {"init_backoff": first, "max_backoff": longest, "base": 2},
        "retry_timeout": timedelta(seconds=2 * patience.timeout),
    }


def _chain() -> Any:
    from obstore.auth.boto3 import Boto3CredentialProvider

    try:
        return Boto3CredentialProvider()
    except ValueError:
        raise GiveUp("no AWS credentials were found", help="set AWS_PROFILE or log in") from None
