"""The bytes of one object as its records: in blocks, decompressed as its first bytes say, and line by line."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from plait.plugin import BadRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 1 << 20
PIECE = 1 << 16
MAX_RATIO = 200
MAX_AT_ANY_RATIO = 1 << 20
STARTS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
Line = tuple[int, bytes, BadRecord | None]  # its number from 1, its bytes, and why it cannot be read


def blocks(data: bytes, limit: int | None = None) -> Iterator[bytes]:
    """The bytes of an object in blocks; raises BadRecord where they break off, and beyond the limit.

    Decompression gives no more than it may of so few.
    """
    word = next((word for start, word in STARTS.items() if data.startswith(start)), None)
    if word is None:
        yield from (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))
        return
    size, most = 0, max(MAX_AT_ANY_RATIO, MAX_RATIO * len(data))
    limit = min(limit or most, most)
    try:
        for block in (_gunzip if word == "gzip" else _unzstd)(data):
            size += len(block)
            if size > limit:
                message = f"its {word} holds more than {limit:,} bytes"
                raise BadRecord(message, code="object-too-large", help="make several objects of it")
            yield block
    except (OSError, EOFError, zlib.error):
        help = "write it again: it was cut off, or is not written to its end"
        raise BadRecord(f"its {word} is damaged, or breaks off here", help=help) from None


def _gunzip(data: bytes) -> Iterator[bytes]:
    """The bytes of gzip's members, one behind the other."""
    view, stream = memoryview(data), zlib.decompressobj(wbits=31)
    for at in range(0, len(data), PIECE):
        piece: Any = view[at : at + PIECE]
        while piece:
            if stream.eof:
                stream = zlib.decompressobj(wbits=31)
            yield stream.decompress(piece, BLOCK)
            piece = stream.unused_data.lstrip(b"\0") if stream.eof else stream.unconsumed_tail
    yield stream.flush()
    if not stream.eof:
        raise EOFError


def _unzstd(data: bytes) -> Iterator[bytes]:
    import pyarrow as pa

    stream = pa.CompressedInputStream(pa.BufferReader(data), "zstd")
    while block := stream.read(PIECE):
        yield block


def lines(data: Iterable[bytes], longest: int) -> Iterator[Line]:
    """Each line that is not blank; where the blocks break off, what was begun is the last line, with its fault."""
    number, begun, is_long = 0, b"", False

    def line(text: bytes) -> Line:
        if is_long or len(text) > longest:
            message = f"more than {longest:,} bytes"
            return number, b"", BadRecord(message, code="object-too-large", help="make several lines of it")
        return number, text, None

    try:
        for block in data:
            *ended, begun = (begun + block).split(b"\n")
            for text in ended:
                number += 1
                if is_long or text.strip():
                    yield line(text)
                is_long = False
            if len(begun) > longest:
                begun, is_long = b"", True
    except BadRecord as fault:
        yield number + 1, begun, fault
        return
    number += 1
    if is_long or begun.strip():
        yield line(begun)
