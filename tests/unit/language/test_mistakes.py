"""Edits of four good specs, each one mistake: its code, what is underlined, and what to do."""

from __future__ import annotations

import pytest

from plait.language.validate import validate

ORDERS = """\
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: s3://shop-raw/orders/*.json
    columns:
      order_id: {type: string, required: true}
      ordered_at: timestamp
      store_id: bigint
      total: decimal(12,2)
  items:
    connector: csv
    path: s3://shop-raw/items/{order_id}.csv
    columns: {sku: string, quantity: int}
    join: {on: order_id, as: list}
  stores:
    connector: mysql
    secret: shop/stores-db
    table: shop.stores
    columns: {city: string}
    join: {on: store_id}
partition_by:
  date: date(ordered_at)
sink:
  connector: parquet
  path: s3://shop-lake/orders/
quarantine: s3://shop-lake/bad/
"""
SESSIONS = """\
plait: 1
name: sessions
description: One row per session of a game, with what the cheat detector thought of it.
parameters:
  raw: {env: RAW, default: "s3://game-raw"}
  lake: {env: LAKE, default: "s3://game-lake"}
sources:
  sessions:
    connector: json
    path: ${raw}/sessions/{region}/*.json
    decode:
      payload: [base64, json]
      started: [{epoch: ms}]
    columns:
      session: string
      region: string
      started: timestamp
      device: {type: string, from: payload.device}
  cheats:
    connector: cloudwatch_logs
    log_group: /game/cheats
    pattern: "session {session} suspicion {suspicion}"
    window: {around: started, before: 5m, after: 1h}
    columns:
      suspicion: {type: int, default: 0}
    join: {on: session, duplicates: latest}
partition_by: {region: region}
sink: {connector: parquet, path: "${lake}/sessions/"}
deploy: {trigger: queue, batch: 20}
"""
STAFF = """\
plait: 1
name: staff
sources:
  staff:
    connector: memory
    rows:
      - {id: 1, name: Ada, team: blue}
      - {id: 2, name: Bo, team: red}
    columns: {id: bigint, name: string, team: string}
  teams:
    connector: memory
    rows: [{team: blue, floor: 2}]
    columns: {floor: int}
    join: {on: team, missing: drop}
sink: {connector: parquet, path: out/staff/}
"""
TRIPS = """\
plait: 1
name: trips
sources:
  trips:
    connector: json
    path: raw/trips/**/*.json
    columns:
      trip: string
      driver: string
      vehicle: {type: bigint, from: car.number}
      began: timestamp
      fare: {type: "decimal(8,2)", default: 0}
      track: array<struct<lat:double,lon:double>>
  drivers:
    connector: dynamodb
    table: drivers
    columns:
      rating: {type: double, from: score.mean}
      hired: date
    join:
      on: driver
      missing: fail
    cache: 15m
  vehicles:
    connector: mysql
    secret: fleet/db
    table: vehicles
    columns: {plate: string}
    join: {on: {vehicle: number}}
partition_by:
  month: month(began, America/New_York)
sink:
  connector: parquet
  path: lake/trips/
  compression: zstd
quarantine: {path: lake/bad/, payload: false}
"""

MISTAKES: list[tuple[str, list[tuple[str, str]], str, str, str]] = [
    (TRIPS, [("path: lake/bad/", "path: lake/bad/{trip}/")], "yaml-syntax", "lake/bad/{trip}/", 'write `"lake/bad/{trip}/"`'),
    (SESSIONS, [("log_group: /game/cheats", "log_group: %game/cheats")], "yaml-syntax", "%", "put the text in quotes"),
    (TRIPS, [("      missing: fail\n", "     missing: fail\n")], "yaml-syntax", "m", "align the keys of a mapping; put text with quotes or brackets in quotes"),
    (STAFF, [("    rows:\n      - {id: 1, name: Ada, team: blue}\n      - {id: 2, name: Bo, team: red}\n", "    rows: - {id: 1, name: Ada, team: blue}\n")], "yaml-syntax", "-", "begin the list on the next line, or write `[a, b]`"),
    (TRIPS, [('type: "decimal(8,2)"', 'type: "decimal\\(8,2)"')], "yaml-syntax", "\\", "write `\\\\`, or use single quotes"),
    (ORDERS, [("columns: {city: string}", "columns: {city: string}}")], "yaml-syntax", "}", "remove it, or put the text in quotes"),
    (STAFF, [("columns: {floor: int}", "columns: {floor: int, true: boolean}")], "yaml-key", "true", "put the key in quotes"),
    (STAFF, [("columns: {floor: int}", "columns: {floor: struct<number:int,name:string>}")], "unquoted-comma", "struct<number:int", 'put it in quotes: `"struct<number:int,name:string>"`'),
    (STAFF, [("name: staff", "name: \ufeffstaff")], "control-character", "\ufeff", 'remove it, or write "\\ufeff" in double quotes'),
    (ORDERS, [("plait: 1", "plait: 2")], "unknown-version", "2", "write `plait: 1`"),
    (ORDERS, [("    table: shop.stores\n", "")], "missing-key", "stores", "`table` or `database.table`, as in `table: stores`"),
    (SESSIONS, [('{env: RAW, default: "s3://game-raw"}', '{env: RAW, defualt: "s3://game-raw"}')], "unknown-key", "defualt", "did you mean `default`?"),
    (SESSIONS, [("deploy: {", "schedule: daily\ndeploy: {")], "unknown-key", "schedule", "remove it: events start a pipeline, or `plait run` does"),
    (TRIPS, [("    table: vehicles\n", "    table: 12\n")], "wrong-kind", "12", "put it in quotes"),
    (TRIPS, [("hired: date", "hired: [date]")], "wrong-kind", "[date]", "its type, or a mapping with `type`, as in `hired: string`"),
    (TRIPS, [("on: {vehicle: number}", "on: [[vehicle, number]]")], "wrong-kind", "[vehicle, number]", "the name of a column"),
    (STAFF, [("  teams:\n    connector: memory\n    rows: [{team: blue, floor: 2}]\n    columns: {floor: int}\n    join: {on: team, missing: drop}\n", "  teams:\n")], "no-value", "teams", "its keys are `connector`, `columns`, `decode`, `join`, `window`, `cache`"),
    (SESSIONS, [("trigger: queue", "trigger: sqs")], "wrong-word", "sqs", "one of `queue`, `direct`"),
    (TRIPS, [("table: drivers", 'table: ""')], "wrong-value", '""', "table name, or its ARN, as in `table: customers`"),
    (SESSIONS, [("batch: 20", "timeout: 1h")], "wrong-value", "1h", "write a length within Lambda's limits"),
    (ORDERS, [("  stores:\n", "  our stores:\n")], "bad-name", "our stores", "did you mean `our_stores`?"),
    (ORDERS, [("  date: date(ordered_at)", "  by/date: date(ordered_at)")], "bad-name", "by/date", "did you mean `by_date`?"),
    (ORDERS, [("    join: {on: store_id}\n", "")], "not-a-driver", "mysql", "give the source a `join`"),
    (STAFF, [("connector: memory\n    rows:\n      - {id: 1, name: Ada, team: blue}\n      - {id: 2, name: Bo, team: red}\n", "connector: parquet\n    path: in/\n")], "not-a-driver", "parquet", "`plait connectors` shows which can"),
    (TRIPS, [("    connector: dynamodb\n    table: drivers\n", "    connector: json\n    path: drivers/{driver}.json\n")], "not-a-lookup", "json", "leave out `join` if it drives, else use another connector"),
    (TRIPS, [("array<struct<lat:double,lon:double>>", "array<struct<lat:double,lon:dubble>>")], "unknown-type", "dubble", "did you mean `double`?"),
    (ORDERS, [("s3://shop-raw/orders/*.json", "gs://shop-raw/orders/*.json")], "wrong-path", "gs://", "copy the files there, or write their folder"),
    (STAFF, [("path: out/staff/", 'path: ""')], "wrong-path", '""', "write `s3://bucket/key` or a local path"),
    (TRIPS, [("path: raw/trips/**/*.json", 'path: "**/*.json"')], "no-literal-beginning", '"**/*.json"', "begin with a bucket or folder, as in `s3://bucket/**/*.json`"),
    (ORDERS, [("s3://shop-raw/items/{order_id}.csv", "s3://{order_id}/items.csv")], "no-literal-beginning", "s3://{order_id}/items.csv", "begin with a bucket or folder, as in `s3://bucket/{order_id}/items.csv`"),
    (SESSIONS, [("{region}/*.json", "{region | lower}/*.json")], "wrong-braces", "{region | lower}", "write letters, digits and `_` between the braces, or `{{` and `}}` for the characters"),
    (SESSIONS, [('suspicion {suspicion}"', 'suspicion {suspicion} {suspicion}"')], "wrong-pattern", '"session {session} suspicion {suspicion} {suspicion}"', "give the second another name, or write `*`"),
    (SESSIONS, [("payload: [base64, json]", 'payload: [{regex: "device=.*"}]')], "wrong-regex", '"device=.*"', "name what is wanted, as in `(?P<id>[0-9]+)`"),
    (SESSIONS, [("started: [{epoch: ms}]", 'started: [{regex: "(?P<at>[0-9"}]')], "wrong-regex", '"(?P<at>[0-9"', "mend it; it is in RE2's syntax, which knows no look-around and no backreferences"),
    (TRIPS, [("missing: fail", "missing: {retry_for: PT10M}")], "wrong-duration", "PT10M", "did you mean `10m`?"),
    (TRIPS, [("from: car.number", "from: $key")], "wrong-place", "$key", "leave out the `$` for a field of the record"),
    (SESSIONS, [("started: [{epoch: ms}]", "started: [epoch]")], "wrong-step", "epoch", "write `{epoch: s}`"),
    (ORDERS, [("date: date(ordered_at)", "year: year(ordered_at)")], "unknown-function", "year", "write `date(c)`, `month(c)`, `hour(c)`, `bucket(16, c)`, or the column as it is"),
    (TRIPS, [("month(began, America/New_York)", "month(began, America, New_York)")], "wrong-function", "month(began, America, New_York)", "write `month(c)` or `month(c, Europe/Madrid)`"),
    (TRIPS, [("{type: double, from: score.mean}", "{type: string, from: score.grade, default: 5}")], "wrong-default", "5", "put it in quotes"),
    (SESSIONS, [("{type: int, default: 0}", "{type: tinyint, default: 300}")], "wrong-default", "300", "declare a wider type"),
    (STAFF, [("columns: {floor: int}", "columns: {ground: {type: boolean, from: floor, default: yes}}")], "wrong-default", "yes", "write `true`"),
    (TRIPS, [("{type: double, from: score.mean}", "{type: binary, from: photo, default: none}")], "wrong-default", "none", "remove it"),
    (SESSIONS, [('path: "${lake}/sessions/"', 'path: "${LAKE_PATH}/sessions/"')], "unknown-parameter", "${LAKE_PATH}", "did you mean `${lake}`?"),
    (SESSIONS, [('default: "s3://game-raw"', 'default: "s3://game-*"')], "parameter-value", "*", "leave `*` to the places where the parameter is used"),
    (SESSIONS, [("path: ${raw}/sessions", 'path: "{raw}/sessions'), ("*.json", '*.json"')], "not-a-reference", "{raw}", "write `${raw}`"),
    (SESSIONS, [("  lake: {env: LAKE", "  stage: {default: test}\n  lake: {env: LAKE")], "unused-parameter", "stage", "remove it, or write `${stage}` where it belongs"),
    (STAFF, [("sources:\n  staff:\n    connector: memory\n    rows:\n      - {id: 1, name: Ada, team: blue}\n      - {id: 2, name: Bo, team: red}\n    columns: {id: bigint, name: string, team: string}\n  teams:\n    connector: memory\n    rows: [{team: blue, floor: 2}]\n    columns: {floor: int}\n    join: {on: team, missing: drop}\n", "sources: {}\n")], "no-driver", "sources", "give a source without `join`, whose objects become the rows"),
    (ORDERS, [("join: {on: store_id}", "join: {on: store_id, duplicates: first}")], "no-order", "first", "write `fail`"),
    (TRIPS, [("      missing: fail\n", "      as: rows\n      duplicates: fail\n")], "idle-duplicates", "duplicates", "remove `duplicates` or `as`"),
    (STAFF, [("columns: {floor: int}", "columns: {storey: int}")], "unknown-field", "storey", "one of `team`, `floor`"),
    (TRIPS, [("{type: bigint, from: car.number}", "{type: bigint, from: $modified}")], "wrong-column-type", "bigint", "write `type: timestamp`"),
    (TRIPS, [("      driver: string\n", "      chauffeur: string\n"), ("month: month(began, America/New_York)", "driver: driver")], "unknown-column", "driver", "one of `trip`, `chauffeur`, `vehicle`, `began`, `fare`, `track`, `plate`"),
    (ORDERS, [("join: {on: store_id}", "join: {on: sku}")], "unknown-column", "sku", "`sku` is inside the list `items`: use another column, or `as: columns` there"),
    (ORDERS, [("join: {on: store_id}", "join: {on: {items: store_id}}")], "nested-key", "items", "choose a column that holds one value"),
    (SESSIONS, [("around: started", "around: region")], "not-a-time", "region", "declare `region: timestamp` in `sessions`"),
    (SESSIONS, [("    columns:\n      suspicion: {type: int, default: 0}\n", ""), ("suspicion {suspicion}", "in {region}")], "duplicate-column", "cheats", "name its `columns`"),
    (ORDERS, [("{sku: string, quantity: int}", "{sku: string, SKU: int}")], "case-clash", "SKU", "rename one of them"),
    (TRIPS, [("      began: timestamp", "      began: date"), ("month(began, America/New_York)", "hour(began)")], "partition-type", "began", "write `date(began)`"),
    (ORDERS, [("date(ordered_at)", "date(order_id)")], "partition-type", "order_id", "choose a date or timestamp"),
    (ORDERS, [("    join: {on: store_id}", "  join: {on: store_id}")], "misplaced-block", "join", "indent it below `stores`"),
    (ORDERS, [("total: decimal(12,2)", "total: decimal(6)")], "unknown-type", "decimal(6)", "did you mean `decimal(6,0)`?"),
    (STAFF, [("path: out/staff/", "path: {lake}/staff/")], "yaml-syntax", "{lake}/staff/", 'write `"{lake}/staff/"`'),
    (ORDERS, [("s3://shop-lake/orders/", "s3://Shop_Lake/orders/")], "wrong-path", "Shop_Lake", "write small letters, digits, `.` and `-`"),
    (ORDERS, [("total: decimal(12,2)", "total: .nan")], "number-too-large", ".nan", "put it in quotes if it is text"),
]  # fmt: skip


@pytest.mark.parametrize("spec", [ORDERS, SESSIONS, STAFF, TRIPS])
def test_the_specs_before_the_edits_are_right(spec: str) -> None:
    assert validate(spec, "spec.yaml").problems == ()


@pytest.mark.parametrize(("spec", "edits", "code", "underlined", "help"), MISTAKES)
def test_an_edit_is_one_problem_with_one_thing_to_do(
    spec: str, edits: list[tuple[str, str]], code: str, underlined: str, help: str
) -> None:
    for before, after in edits:
        assert before in spec
        spec = spec.replace(before, after, 1)
    [problem] = validate(spec, "spec.yaml").problems
    assert problem.span is not None
    line = spec.splitlines()[problem.span.line - 1]
    shown = line[problem.span.column - 1 : problem.span.end_column - 1]
    assert (problem.code, shown, problem.help) == (code, underlined, help)
