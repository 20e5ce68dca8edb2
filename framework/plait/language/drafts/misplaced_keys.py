"""For a key that is unknown at its place: where it belongs, or which key was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.problems.errors import SpecValueError
from plait.values.types import parse

if TYPE_CHECKING:
    from collections.abc import Collection

_PLACES = {
    **dict.fromkeys(("on", "as", "missing", "duplicates"), "`join`"),
    "retry_for": "`missing`, as in `missing: {retry_for: 10m}`",
    **dict.fromkeys(("around", "before", "after"), "`window`"),
    **dict.fromkeys(("connector", "columns", "decode", "join", "cache"), "a source"),
    **dict.fromkeys(("from", "required"), "a column"),
    "env": "a parameter",
    "payload": "`quarantine`",
    **dict.fromkeys(("memory", "timeout", "trigger", "batch"), "`deploy`"),
    **dict.fromkeys(
        ("parameters", "sources", "partition_by", "sink", "quarantine", "deploy"), "the top of the file"
    ),
}
_SYNONYMS = {
    **dict.fromkeys(("fields", "select", "schema", "mapping", "output_columns"), "columns"),
    **dict.fromkeys(("type", "kind", "plugin", "driver", "format", "service"), "connector"),
    **dict.fromkeys(("output", "destination", "target", "to", "write", "load"), "sink"),
    **dict.fromkeys(("inputs", "extract", "lookups", "strands", "streams"), "sources"),
    **dict.fromkeys(("partitions", "partitioned_by", "partitioning"), "partition_by"),
    **dict.fromkeys(("variables", "vars", "params", "arguments", "environment"), "parameters"),
    **dict.fromkeys(("dead_letter", "dlq", "errors", "rejects"), "quarantine"),
    **dict.fromkeys(("url", "uri", "location", "file", "folder", "prefix", "bucket", "glob"), "path"),
    **dict.fromkeys(("log_group_name", "group", "loggroup"), "log_group"),
    **dict.fromkeys(("table_name", "relation"), "table"),
    **dict.fromkeys(("credentials_secret", "secret_name", "secret_id", "secret_arn"), "secret"),
    **dict.fromkeys(("regex", "grok", "parse"), "pattern"),
    **dict.fromkeys(("ttl", "cache_for", "keep"), "cache"),
    **dict.fromkeys(("key", "keys", "using", "left"), "on"),
    **dict.fromkeys(("how", "shape", "cardinality"), "as"),
    **dict.fromkeys(("if_missing", "on_missing", "no_match"), "missing"),
    **dict.fromkeys(("many", "on_duplicates", "multiple"), "duplicates"),
    **dict.fromkeys(("source_field", "path", "selector", "alias"), "from"),
    **dict.fromkeys(("nullable", "not_null", "mandatory"), "required"),
    **dict.fromkeys(("fallback", "default_value", "fill"), "default"),
    **dict.fromkeys(("variable", "env_var", "environment_variable"), "env"),
    **dict.fromkeys(("value",), "default"),
    **dict.fromkeys(("separator", "sep"), "delimiter"),
    **dict.fromkeys(("codec",), "compression"),
    **dict.fromkeys(("version", "plait_version"), "plait"),
}
EXAMPLES: dict[str, Any] = {
    "plait": 1,
    "name": "orders",
    "sources": {"orders": {"connector": "json", "path": "s3://raw/orders/*.json"}},
    "sink": {"connector": "parquet", "path": "s3://lake/orders/"},
    "connector": "json",
    "columns": {"id": "string"},
    "join": {"on": "id"},
    "on": "id",
    "window": {"around": "ordered_at", "before": "1h", "after": "1h"},
    "parameters": {"raw": {"env": "RAW", "default": "s3://raw"}},
    "partition_by": {"date": "date(ordered_at)"},
    "quarantine": "s3://lake/quarantine/",
    "decode": {"payload": ["base64", "json"]},
    "deploy": {"trigger": "queue"},
    "type": "string",
    "secret": "shop/stores-db",
    "table": "shop.stores",
    "cache": "5m",
    "missing": {"retry_for": "10m"},
}
_FILTER_KEYS = ("where", "query", "sql", "condition", "having", "statement")
_SCHEDULE_KEYS = ("schedule", "cron", "every", "interval")


def is_column(value: Any) -> bool:
    """Whether a value is a type, or a mapping with one."""
    word = value.get("type") if isinstance(value, dict) else value
    try:
        return isinstance(word, str) and bool(parse(word))
    except SpecValueError:
        return False


def synonym(name: str, unused: Collection[str]) -> str | None:
    """The key that other tools call `name`, if it is one of the `unused` keys."""
    key = _SYNONYMS.get(name.lower().replace("-", "_"))
    return key if key in unused else None


def help_for_misplaced(name: str, value: Any) -> str | None:
    """What to do about a key that does not belong at its place; None if the key is not known at all."""
    if isinstance(value, dict) and "connector" in value:
        return "if it is a source, indent it like the sources"
    if name not in _PLACES and is_column(value):
        return "if it is a column, indent it below `columns`"
    if name in _PLACES:
        return f"it belongs in {_PLACES[name]}"
    if name.lower() in _FILTER_KEYS:
        return "remove it: `join` chooses the records, and `columns` their fields"
    if name.lower() in _SCHEDULE_KEYS:
        return "remove it: events start a pipeline, or `plait run` does"
    return None
