"""Whatever records hold: the columns that are guessed of them validate, and take each of them without a bad record."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from kit.documents import csv_documents, examples, json_documents, keys, nested
from kit.run import put
from plait.pipeline.pipeline import Pipeline
from plait.plugin import GiveUp

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(json.dumps)
values = st.one_of(
    texts,
    st.integers(-(10**45), 10**45).map(str),
    st.builds("{}.{}".format, st.integers(-99, 99), st.integers(0, 10**12)),
    st.builds("{}e{}".format, st.integers(-99, 99), st.integers(-330, 330)),
    st.builds('"{}"'.format, st.dates() | st.datetimes()),
    st.datetimes().map(lambda time: f'"{time.isoformat()}Z"'),
)
names = keys | texts | st.sampled_from(['"more"', '"A"', '"a-b"', '"a_b"', '"null"', '"9"', '"a.b"', '"day"'])
mappings = st.dictionaries(names, st.recursive(values, nested, max_leaves=5), max_size=5).map(
    lambda fields: f"{{{', '.join(f'{name}: {value}' for name, value in fields.items())}}}".encode()
)


SPEC = """\
plait: 1
name: s
parameters: {root: {}}
sources:
  orders:
    connector: json
    path: ${root}/in/{nr}.json
{orders}
  more:
    connector: csv
    path: ${root}/more{nr}.csv
    join: {on: nr, as: {shape}}
{more}
sink: {connector: parquet, path: "${root}/out/"}
quarantine: ${root}/bad/
"""


def pipeline(root: str, **texts: str) -> Pipeline:
    """Orders in JSON, and a look-up of a CSV file, with texts in place of their holes."""
    spec = SPEC
    for name, text in texts.items():
        spec = spec.replace(f"{{{name}}}", text)
    return Pipeline.load("s.yaml", {"root": root}, spec.encode())


@examples(0.5)
@given(
    st.lists(json_documents | mappings, min_size=1, max_size=4),
    csv_documents,
    st.sampled_from(["rows", "list"]),
)
def test_what_is_guessed_validates_and_takes_what_it_was_guessed_from(
    documents: list[bytes], lines: bytes, shape: str
) -> None:
    """Records that are no JSON or CSV are bad whatever the columns are."""
    with tempfile.TemporaryDirectory() as folder:
        for number, document in enumerate(documents):
            put(Path(folder, f"in/{number}.json"), document)
        put(Path(folder, "more0.csv"), lines)
        block = ""
        with suppress(GiveUp):
            block = pipeline(folder, orders="", more="", shape=shape).guess()
        assume(block and "columns: {}" not in block)
        orders, more = block.removeprefix("sources:\n  orders:\n").split("\n  more:\n")
        report = pipeline(folder, orders=orders, more=more, shape=shape).run()
        bad = {"bad-record", *(["no-such-field"] if "optional: true" in block else [])}
        assert {problem.code for problem in report.problems} <= bad, (report.problems, block)
        assert report.records.written or report.problems
