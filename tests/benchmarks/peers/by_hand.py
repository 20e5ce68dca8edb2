"""The best program by hand: what a good engineer writes once for one job, with every trick that this one allows.

Objects come by obstore in 64 threads, the look-ups in the fewest calls; pyarrow parses all documents at once, joins by
index and writes a file a date. It checks nothing: a broken object, a doubled key or a value of another type stops it
or gives a wrong row; and it writes nothing that a second run would replace.
"""

from __future__ import annotations

import base64
import io
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, json, parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOMENT = pa.timestamp("us", tz="UTC")
MONEY = pa.decimal128(12, 2)
ORDER = pa.schema(
    {
        "transaction_id": pa.string(),
        "ordered_at": pa.string(),
        "store_id": pa.int64(),
        "customer_id": pa.string(),
        "total": MONEY,
        "embedded_data": pa.string(),
    }
)
LOYALTY = pa.schema({"loyalty": pa.struct({"tier": pa.string(), "points": pa.int64()})})
ITEM = {"sku": pa.string(), "quantity": pa.int32(), "unit_price": MONEY}
HOUR = 3_600_000_000


def sides(
    stores: Iterable[tuple[int, str | None, str | None]],
    seen: Mapping[str, str],
    logs: Iterable[tuple[int, str]],
) -> dict[str, Any]:
    """What the look-ups hold, as columns to take from: stores, when customers were last seen, lines of the log."""
    numbers, names, cities = zip(*stores, strict=True)
    moments, texts = zip(*logs, strict=True)
    scores = pc.extract_regex(pa.array(texts), r"^.*transaction (?P<id>\S+) scored (?P<score>\S+)$")
    at = pc.multiply(pa.array(moments, type=pa.int64()), 1000).filter(scores.is_valid())
    scores = scores.drop_null()
    lines = pa.table({"id": scores.field("id"), "score": scores.field("score").cast(pa.int32()), "at": at})
    return {
        "stores": pa.array(numbers),
        "store_name": pa.array(names),
        "store_city": pa.array(cities),
        "customers": pa.array([*seen]),
        "seen": pa.array([*seen.values()]).cast(MOMENT),
        "scores": lines.sort_by([("at", "descending")]),
    }


def _parsed(documents: list[bytes], schema: Any) -> Any:
    text = b"\n".join(documents)
    options = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    table = json.read_json(
        io.BytesIO(text), json.ReadOptions(block_size=max(len(text), 1), use_threads=False), options
    )
    return table.combine_chunks()


def rows(orders: list[bytes], items: list[bytes], sides: Mapping[str, Any]) -> Any:
    """The rows of orders and their items, as a table."""
    parsed = _parsed(orders, ORDER)
    embedded = [base64.b64decode(text) for text in parsed["embedded_data"].to_pylist()]
    loyalty = _parsed(embedded, LOYALTY)["loyalty"].combine_chunks()
    moments, ids = parsed["ordered_at"].cast(MOMENT), parsed["transaction_id"]
    store = pc.index_in(parsed["store_id"], sides["stores"]).combine_chunks()
    customer = pc.index_in(parsed["customer_id"], sides["customers"]).combine_chunks()
    return pa.table(
        {
            "transaction_id": ids,
            "ordered_at": moments,
            **{name: parsed[name] for name in ("store_id", "customer_id", "total")},
            "loyalty_tier": loyalty.field("tier"),
            "loyalty_points": loyalty.field("points"),
            "items": _items(items),
            "store_name": sides["store_name"].take(store),
            "store_city": sides["store_city"].take(store),
            "customer_last_seen": sides["seen"].take(customer),
            "fraud_score": _scores(ids, moments, sides["scores"]),
        }
    )


def _items(files: list[bytes]) -> Any:
    header = files[0].index(b"\n") + 1
    counts = [file.count(b"\n") - 1 for file in files]
    text = files[0][:header] + b"".join(file[header:] for file in files)
    lines = csv.read_csv(
        io.BytesIO(text),
        csv.ReadOptions(block_size=len(text), use_threads=False),
        convert_options=csv.ConvertOptions(column_types=ITEM),
    ).combine_chunks()
    ends = pc.cumulative_sum(pa.array([0, *counts], type=pa.int32()))
    return pa.ListArray.from_arrays(ends, lines.to_struct_array().combine_chunks())


def _scores(ids: Any, moments: Any, scores: Any) -> Any:
    positions = pc.index_in(ids, scores["id"].combine_chunks()).combine_chunks()
    apart = pc.abs(
        pc.subtract(scores["at"].combine_chunks().take(positions), moments.cast(pa.int64()).combine_chunks())
    )
    score = scores["score"].combine_chunks().take(positions)
    return pc.if_else(
        pc.fill_null(pc.less_equal(apart, HOUR), fill_value=False), score, pa.scalar(0, pa.int32())
    )


def files(table: Any) -> Iterator[tuple[str, bytes]]:
    """The rows of each date, as the bytes of a Parquet file."""
    codes = pc.strftime(table["ordered_at"], "%Y-%m-%d").combine_chunks().dictionary_encode()
    for number, date in enumerate(codes.dictionary.to_pylist()):
        part = table.filter(pc.equal(codes.indices, number)).combine_chunks()
        sink = pa.BufferOutputStream()
        parquet.write_table(part, sink, compression="snappy")
        yield date, sink.getvalue().to_pybytes()


def run(paths: list[str]) -> None:
    """Do the job over the orders of these paths: from S3, and to the lake that the environment names."""
    import obstore

    from benchmarks.peers import lookups

    session = lookups.session()
    raw, lake = _store(paths[0].split("/")[2]), os.environ["LAKE"].removeprefix("s3://").partition("/")
    keys = [path.split("/", 3)[3] for path in paths]
    keys += [key.replace("transactions/", "items/")[:-4] + "csv" for key in keys]
    with ThreadPoolExecutor(64) as pool:
        stores = pool.submit(lookups.stores, session)
        bodies = [*pool.map(lambda key: obstore.get(raw, key).bytes().to_bytes(), keys)]
        orders, items = bodies[: len(paths)], bodies[len(paths) :]
        parsed = _parsed(orders, ORDER)
        seen = pool.submit(lookups.last_seen, session, parsed["customer_id"].to_pylist())
        moments = pc.min_max(parsed["ordered_at"].cast(MOMENT).cast(pa.int64())).as_py()
        logs = lookups.log_lines(session, moments["min"] // 1000, moments["max"] // 1000)
        table = rows(orders, items, sides(stores.result(), seen.result(), logs))
        target = _store(lake[0])
        for date, body in files(table):
            obstore.put(target, f"{lake[2]}/transactions/date={date}/by_hand.parquet", body)


def _store(bucket: str) -> Any:
    from obstore.store import S3Store

    where = os.environ["AWS_ENDPOINT_URL"]
    return S3Store(
        bucket, endpoint=where, client_options={"allow_http": True}, virtual_hosted_style_request=False
    )
