"""Single requests to S3: by obstore, and by botocore for listing, deleting and the keys that obstore would change."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plait.aws.environment import endpoint
from plait.aws.errors import UnreadableAnswer, code_and_status
from plait.plugin import GiveUp, Item, Missing, ObjectChanged, Put, StoredObject, TryAgain, Written
from plait.storage.s3_errors import ask_again, is_conflict, s3_error
from plait.storage.s3_store import open_store
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plait.aws.retries import RetryPolicy

SOURCE_ETAG = "plait-source-etag"
MAX_ROUNDS = 3
NO_ETAG = f'"{"0" * 32}"'


class Version(Struct, frozen=True):
    """The version of an object: its ETag as S3 spells it, and the ETag of the object that it was made from."""

    etag: str
    source_etag: str | None


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def is_unusual(key: str) -> bool:
    """Whether botocore takes the key: obstore refuses empty and dotted segments and control characters, and drops slashes at both ends."""
    segments = f"/{key}/"
    return "//" in segments or "/./" in segments or "/../" in segments or not key.isprintable()


def unquoted(etag: str | None) -> str | None:
    """An ETag without its quotes."""
    return etag.strip('"') if etag else etag


def _unconditional(uri: str) -> GiveUp:
    message = f"the store of `{uri[:200]}` has no conditional writes: an older version could replace a newer one's file"
    help = "write to a store that has them; or set `conditional: false` in `sink`, where nothing is written twice"
    return GiveUp(message, code="no-conditional-writes", help=help)


def _required_etag(etag: str | None) -> str:
    if not etag:
        raise UnreadableAnswer  # S3 never leaves it out
    return etag


class Proof:
    """Whether a store was seen to refuse a put: None before one was tried, which one thread does for all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.refuses: bool | None = None


class S3:
    """Requests to S3, each counted; methods raise what the client raises, for `s3_error` to translate."""

    def __init__(
        self,
        count: Callable[[str, int], None],
        client: Callable[[str], Any],
        retry_policy: Callable[[], RetryPolicy],
        *,
        is_conditional: bool = True,
    ) -> None:
        self._is_conditional = is_conditional
        self._proofs = {True: Proof(), False: Proof()}
        self._count = count
        self._client = client
        self._retry_policy = retry_policy
        self._lock = threading.Lock()
        self._stores: dict[str, Any] = {}

    def find(self, prefix: str) -> Iterator[Item]:
        """The objects whose URI begins with the prefix, in S3's order."""
        bucket, start = bucket_and_key(prefix)
        pages = self._client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
        for page in pages:
            for entry in page.get("Contents", ()):
                yield Item(
                    uri=f"s3://{bucket}/{entry['Key']}",
                    size=entry["Size"],
                    modified=entry["LastModified"],
                    etag=unquoted(entry["ETag"]),
                )

    def get(self, uri: str, takes: Callable[[int], bool]) -> StoredObject:
        """An object with its bytes; without them, and without downloading them, where `takes` refuses its size."""
        return ask_again(lambda: self._get(uri, takes))

    def _get(self, uri: str, takes: Callable[[int], bool]) -> StoredObject:
        bucket, key = bucket_and_key(uri)
        if is_unusual(key):
            answer = self._client("s3").get_object(Bucket=bucket, Key=key)
            etag = _required_etag(answer.get("ETag"))
            size, modified = answer["ContentLength"], answer["LastModified"]
            with closing(answer["Body"]) as body:
                data = body.read() if takes(size) else b""
        else:
            import obstore

            self._count("s3:GetObject", 1)
            result = obstore.get(self._store(bucket), key)
            meta = result.meta
            etag, size, modified = _required_etag(meta["e_tag"]), meta["size"], meta["last_modified"]
            data = bytes(result.bytes()) if takes(size) else b""
        return StoredObject(item=Item(uri=uri, size=size, modified=modified, etag=unquoted(etag)), data=data)

    def head(self, uri: str) -> Version:
        """The version of an object that stands at a URI."""
        return ask_again(lambda: self._head(uri))

    def _head(self, uri: str) -> Version:
        bucket, key = bucket_and_key(uri)
        if is_unusual(key):
            answer = self._client("s3").head_object(Bucket=bucket, Key=key)
            return Version(_required_etag(answer.get("ETag")), answer["Metadata"].get(SOURCE_ETAG))
        import obstore

        self._count("s3:HeadObject", 1)
        result = obstore.get(self._store(bucket), key, options={"head": True})
        return Version(_required_etag(result.meta["e_tag"]), result.attributes.get(SOURCE_ETAG))

    def put(self, put: Put) -> Written:
        """Store an object; one made from an S3 object only while nothing newer stands there, unless that is not wanted."""
        source = put.source
        if put.creates:
            if not self._put_if(put, None, "*"):
                raise ObjectChanged(f"`{put.uri[:200]}` is there already")
        elif not self._is_conditional or source is None or not source.etag or not on_s3(source.uri):
            ask_again(lambda: self._put(put, None))
        else:
            self._put_newest(put, source.uri, unquoted(source.etag) or "")
        return Written(uri=put.uri, rows=0, bytes=len(put.data))

    def delete(self, item: Item) -> None:
        """Remove an object; where the item has an ETag, only that version, else raise ObjectChanged."""
        bucket, key = bucket_and_key(item.uri)
        condition = {"IfMatch": f'"{unquoted(item.etag)}"'} if item.etag else {}
        try:
            self._client("s3").delete_object(Bucket=bucket, Key=key, **condition)
        except Exception as error:
            if is_conflict(error):
                raise ObjectChanged(f"`{item.uri[:200]}` is another version by now") from error
            raise

    def _put_newest(self, put: Put, source: str, etag: str) -> None:
        """Store an object made from the version `etag` of the source; raise ObjectChanged if the source has another by now."""
        for _ in range(MAX_ROUNDS):
            if not put.removes and self._put_proven(put, etag, "*"):
                return
            stored = self._version(put.uri)
            if stored is None and put.removes:
                return
            if stored is None:
                continue
            if stored.source_etag != etag:
                current = self._version(source)
                if current is None or unquoted(current.etag) != etag:
                    raise ObjectChanged(f"`{source[:200]}` changed while it was read")
            is_done = self._put_if if put.removes else self._put_proven
            if is_done(put, etag, stored.etag):
                return
        raise TryAgain(f"`{put.uri[:200]}` is written by others at the same time")

    def _version(self, uri: str) -> Version | None:
        """The version that stands at a URI, or None."""
        try:
            return self.head(uri)
        except Exception as error:
            if isinstance(s3_error(uri, error), Missing):
                return None
            raise

    def _put_proven(self, put: Put, etag: str, match: str) -> bool:
        """Put as `_put_if` does; raises GiveUp where a store in place of AWS's does not mind the condition.

        The first put that succeeds there is sent once more, and has to be refused.
        """
        proof = self._proofs[match == "*"]
        if not proof.refuses and endpoint():
            with proof.lock:
                if proof.refuses is None:
                    is_put = self._put_if(put, etag, match)
                    refused_match = "*" if match == "*" else NO_ETAG
                    proof.refuses = not is_put or not self._put_if(put, etag, refused_match)
                    if proof.refuses:
                        return is_put
            if not proof.refuses:
                raise _unconditional(put.uri)
        return self._put_if(put, etag, match)

    def _put_if(self, put: Put, etag: str | None, match: str) -> bool:
        """Put if the stored version is the one that `match` names; return whether it was."""
        try:
            # Where the answer to a put is lost, the next try finds the file that it wrote itself.
            ask_again(lambda: self._put(put, etag, match))
        except Exception as error:
            if is_conflict(error):
                return False
            if put.removes and isinstance(s3_error(put.uri, error), Missing):
                return True
            if code_and_status(error)[0] == "NotImplemented":
                raise _unconditional(put.uri) from error
            raise
        return True

    def _put(self, put: Put, etag: str | None, match: str = "") -> None:
        """Put; `match` is empty, `*` to create only, or the ETag that must stand there."""
        bucket, key = bucket_and_key(put.uri)
        metadata = {SOURCE_ETAG: etag} if etag else {}
        if put.removes:
            condition = {"IfMatch": match} if match else {}
            self._client("s3").delete_object(Bucket=bucket, Key=key, **condition)
            return
        if is_unusual(key):
            condition = {"IfNoneMatch": "*"} if match == "*" else {"IfMatch": match} if match else {}
            self._client("s3").put_object(
                Bucket=bucket, Key=key, Body=put.data, Metadata=metadata, **condition
            )
            return
        import obstore

        self._count("s3:PutObject", 1)
        mode: Any = "create" if match == "*" else {"e_tag": match} if match else "overwrite"
        obstore.put(self._store(bucket), key, put.data, attributes=metadata, mode=mode, use_multipart=False)

    def _store(self, bucket: str) -> Any:
        with self._lock:
            if bucket not in self._stores:
                self._stores[bucket] = open_store(bucket, self._retry_policy())
            return self._stores[bucket]
