"""`plait demo`: objects are put, S3 announces them, the handler runs, and the lake is read."""

from __future__ import annotations

import contextlib
import io
import json
import os
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plait.engine.files import file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.table import Table

    from plait_sandbox.local import Sandbox
    from plait_sandbox.mysql import Flavour

HERE = Path(__file__).parent
TWICE = 5
ROWS = 5
COLUMNS = ("transaction_id", "total", "items", "store_name", "loyalty_tier", "fraud_score")
MAY_WRAP = {"items", "store_name"}
BELOW = str.maketrans("├└─", "│  ")


def spec_file() -> str:
    """The spec of the main job: the repository's, or the copy that an installed plait carries."""
    packaged = HERE / "transactions.yaml"
    return str(packaged if packaged.exists() else HERE.parents[1] / "pipelines" / "transactions.yaml")


@click.command("demo", short_help="Show the whole job on the sandbox.")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show the whole job on the sandbox."""
    ctx.exit(main())


def main(flavour: Flavour | None = None) -> int:
    """Run the demo; 0 where all of it worked. `flavour` is the MySQL to take, otherwise the best that is here."""
    from rich.console import Console

    from plait_sandbox.data import sample
    from plait_sandbox.local import Sandbox

    console = Console(highlight=False)
    with Sandbox(flavour) as sandbox:
        os.environ.update(sandbox.environment())
        os.environ["PLAIT_SPEC"] = spec_file()
        console.rule("sandbox")
        console.print(f"AWS is moto at {sandbox.aws.endpoint}, MySQL is {sandbox.mysql.flavour}")
        _plan(console)
        orders = sample()
        console.rule("S3 announces the objects, and the handler runs")
        sandbox.fill(orders)
        announced = sum(key.startswith("transactions/") for key in orders.objects)
        console.print(f"put {len(orders.objects)} objects; {announced} are announced, {TWICE} of them twice")
        reports, again = _deliver(sandbox, announced + TWICE)
        _report(console, reports, again)
        _files(console, reports)
        _rows(console)
        _quarantined(console)
        return 1 if again else 0


def _plan(console: Console) -> None:
    from plait.cli.loading import load_pipeline
    from plait.cli.views.plan import plan_paragraphs

    console.rule(f"plait plan {Path(spec_file()).name}")
    text = "\n\n".join(plan_paragraphs(load_pipeline(spec_file(), {}).plan(), brief=True))
    for line in text.splitlines():
        console.print(_wrapped(line, console.width), markup=False, soft_wrap=True)


def _wrapped(line: str, width: int) -> str:
    """The line of a plan over as many lines as it needs, each below the text of the first, and no word broken."""
    text = line.lstrip("│├└─ ")
    branch = line.removesuffix(text)
    indent = f"{branch.translate(BELOW)}  "
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=branch,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def _deliver(sandbox: Sandbox, events: int) -> tuple[list[dict[str, Any]], int]:
    """Feed messages from the queue to the handler; five that gave rows come a second time, at the end."""
    from rich.console import Console
    from rich.progress import Progress

    reports: list[dict[str, Any]] = []
    seen: list[dict[str, Any]] = []
    again = 0
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("events", total=events)
        for messages in _batches(sandbox):
            report, failures = _invoke(messages)
            seen += [one for one in messages if _gave_a_row(one, report)][: TWICE - len(seen)]
            reports.append(report)
            again += len(failures)
            sandbox.delete([m for m in messages if m["MessageId"] not in failures])
            bar.advance(task, len(messages))
        if seen:
            report, _ = _invoke(seen)
            reports.append(report)
            bar.advance(task, len(seen))
    return reports, again


def _gave_a_row(message: dict[str, Any], report: dict[str, Any]) -> bool:
    detail = json.loads(message["Body"])["detail"]
    uri = f"s3://{detail['bucket']['name']}/{detail['object']['key']}"
    return any(file["uri"].endswith(f"{file_name(uri)}.parquet") for file in report["files"])


def _batches(sandbox: Sandbox) -> Iterator[list[dict[str, Any]]]:
    while messages := sandbox.receive(10):
        yield messages


def _invoke(messages: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], set[str]]:
    """Call the handler as Lambda does for a queue; its report is the line that it logs."""
    from plait.aws_lambda import handler

    records = [{"messageId": m["MessageId"], "body": m["Body"], "eventSource": "aws:sqs"} for m in messages]
    with contextlib.redirect_stdout(io.StringIO()) as log:
        answer = handler({"Records": records})
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    report = next(line for line in lines if line["message"] == "report")
    return report, {one["itemIdentifier"] for one in answer["batchItemFailures"]}


def _report(console: Console, reports: list[dict[str, Any]], again: int) -> None:
    console.rule("report")
    objects: Counter[str] = Counter()
    records: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for report in reports:
        objects.update(report["objects"])
        records.update(report["records"])
        calls.update(report["calls"])
    console.print(f"{len(reports)} invocations, {again} messages to come again")
    table = _two_columns()
    for title, counts in (("objects", objects), ("records", records), ("calls", dict(sorted(calls.items())))):
        table.add_row(title, ", ".join(f"{name} {n}" for name, n in counts.items()))
    console.print(table)


def _two_columns() -> Table:
    """A table of names and texts, of which the texts take several lines where they are long."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    return table


def _files(console: Console, reports: list[dict[str, Any]]) -> None:
    console.rule("files in the lake")
    files = {file["uri"]: file for report in reports for file in report["files"]}
    folders = Counter(file["partition"] for file in files.values())
    for folder, count in sorted(folders.items()):
        size = sum(f["bytes"] for f in files.values() if f["partition"] == folder)
        console.print(f"{folder:<40} {count:>3} files {size:>8} bytes")
    console.print("such as", min(files), sep="\n", soft_wrap=True)


def _rows(console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    console.rule("five rows of the result, read back from the files")
    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, no_wrap=name not in MAY_WRAP)
    for row in _lake_rows()[:ROWS]:
        table.add_row(*(Text(_short(name, row[name])) for name in COLUMNS))
    console.print(table)


def _short(name: str, value: Any) -> str:
    if name == "items":
        return ", ".join(f"{item['quantity']} × {item['unit_price']}" for item in value[:2]) + (
            f", {len(value) - 2} more" if len(value) > 2 else ""
        )
    return str(value)


def _lake_rows() -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from plait.engine.context import Services
    from plait.plugin import StoredObject

    objects = Services().objects
    uris = [item.uri for item in objects.list("s3://shop-lake/extracted/transactions/")][:ROWS]
    found = [one for one in objects.get(uris) if isinstance(one, StoredObject)]
    rows: list[dict[str, Any]] = []
    for one in found:
        rows += pq.ParquetFile(pa.BufferReader(one.data)).read().to_pylist()
    return rows


def _quarantined(console: Console) -> None:
    from rich.text import Text

    from plait.engine.context import Services
    from plait.plugin import StoredObject

    console.rule("quarantined, and why")
    table = _two_columns()
    objects = Services().objects
    uris = [item.uri for item in objects.list("s3://shop-lake/quarantine/transactions/")]
    for one in objects.get(uris):
        if isinstance(one, StoredObject):
            record = json.loads(one.data)
            name = record["object"].removeprefix("s3://shop-raw/transactions/")
            table.add_row(Text(name), Text(f"{record['code']}: {record['message']}"))
    console.print(table)
