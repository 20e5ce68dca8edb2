"""`plait demo`: put objects, let S3 announce them, run the handler on the events, and read the lake."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plait.engine.partition import file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.table import Table

    from plait_sandbox.mysql import Flavour
    from plait_sandbox.sandbox import Sandbox

HERE = Path(__file__).parent
REPEATED = 5
SHOWN_ROWS = 5
SHOWN_COLUMNS = ("transaction_id", "total", "items", "store_name", "loyalty_tier", "fraud_score")
WRAPPED_COLUMNS = {"items", "store_name"}
BRANCHES_BELOW = str.maketrans("├└─", "│  ")


def spec_file() -> str:
    """The spec of the main job: the repository's, or the copy that an installed plait carries."""
    packaged = HERE / "transactions.yaml"
    return str(packaged if packaged.exists() else HERE.parents[1] / "pipelines" / "transactions.yaml")


@click.command("demo", short_help="Show the whole job on the sandbox.")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show the whole job on the sandbox."""
    from plait_sandbox.guard import end_on_sigterm

    end_on_sigterm()
    ctx.exit(main())


def main(flavour: Flavour | None = None) -> int:
    """Run the demo and return 0 where every event was done; `flavour` is the MySQL to take, by default the best here."""
    from rich.console import Console

    from plait_sandbox.locked_spec import locked_copy
    from plait_sandbox.sample_data import sample
    from plait_sandbox.sandbox import start_sandbox

    console = Console(highlight=False)
    with start_sandbox(flavour) as sandbox, tempfile.TemporaryDirectory() as folder:
        os.environ.update(sandbox.environment())
        os.environ["PLAIT_SPEC"] = str(locked_copy(Path(spec_file()), Path(folder)))
        console.rule("sandbox")
        console.print(f"AWS is moto at {sandbox.aws.endpoint}, MySQL is {sandbox.mysql.flavour}")
        _print_plan(console)
        orders = sample()
        console.rule("S3 announces the objects, and the handler runs")
        sandbox.fill(orders)
        announced = sum(key.startswith("transactions/") for key in orders.objects)
        console.print(
            f"put {len(orders.objects)} objects; {announced} are announced, {REPEATED} of them twice"
        )
        reports, failed = _deliver(sandbox, announced + REPEATED)
        _print_report(console, reports, failed)
        _print_files(console, reports)
        _print_rows(console)
        _print_quarantine(console)
        return 1 if failed else 0


def _print_plan(console: Console) -> None:
    from plait.cli.loading import load_pipeline
    from plait.cli.views.plan import plan_paragraphs

    console.rule(f"plait plan {Path(spec_file()).name}")
    text = "\n\n".join(plan_paragraphs(load_pipeline(spec_file(), {}).plan(), brief=True))
    for line in text.splitlines():
        console.print(_wrapped(line, console.width), markup=False, soft_wrap=True)


def _wrapped(line: str, width: int) -> str:
    """A line of the plan as lines that fit, each below the text of the first; no word is broken."""
    text = line.lstrip("│├└─ ")
    branch = line.removesuffix(text)
    indent = f"{branch.translate(BRANCHES_BELOW)}  "
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
    """Give the messages of the queue to the handler, then once more five that gave rows.

    Returns the reports of all calls, and how many messages failed.
    """
    from rich.console import Console
    from rich.progress import Progress

    reports: list[dict[str, Any]] = []
    repeated: list[dict[str, Any]] = []
    failed = 0
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("events", total=events)
        for messages in _receive_batches(sandbox):
            report, failures = _invoke(messages)
            with_rows = [message for message in messages if _gave_a_row(message, report)]
            repeated += with_rows[: REPEATED - len(repeated)]
            reports.append(report)
            failed += len(failures)
            sandbox.delete([message for message in messages if message["MessageId"] not in failures])
            bar.advance(task, len(messages))
        if repeated:
            report, _ = _invoke(repeated)
            reports.append(report)
            bar.advance(task, len(repeated))
    return reports, failed


def _gave_a_row(message: dict[str, Any], report: dict[str, Any]) -> bool:
    detail = json.loads(message["Body"])["detail"]
    uri = f"s3://{detail['bucket']['name']}/{detail['object']['key']}"
    return any(file["uri"].endswith(f"{file_name(uri)}.parquet") for file in report["files"])


def _receive_batches(sandbox: Sandbox) -> Iterator[list[dict[str, Any]]]:
    while messages := sandbox.receive(10):
        yield messages


def _invoke(messages: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], set[str]]:
    """Call the handler as Lambda does for a queue; return the report that it logs, and the ids of messages that failed."""
    from plait.aws_lambda import handler

    records = [
        {"messageId": message["MessageId"], "body": message["Body"], "eventSource": "aws:sqs"}
        for message in messages
    ]
    with contextlib.redirect_stdout(io.StringIO()) as log:
        answer = handler({"Records": records})
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    report = next(line for line in lines if line["message"] == "report")
    return report, {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}


def _print_report(console: Console, reports: list[dict[str, Any]], failed: int) -> None:
    console.rule("report")
    objects: Counter[str] = Counter()
    records: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for report in reports:
        objects.update(report["objects"])
        records.update(report["records"])
        calls.update(report["calls"])
    console.print(f"{len(reports)} invocations, {failed} messages to come again")
    table = _table_of_two()
    for title, counts in (("objects", objects), ("records", records), ("calls", dict(sorted(calls.items())))):
        table.add_row(title, ", ".join(f"{name} {count}" for name, count in counts.items()))
    console.print(table)


def _table_of_two() -> Table:
    """A table of names and texts, where long texts take several lines."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    return table


def _print_files(console: Console, reports: list[dict[str, Any]]) -> None:
    console.rule("files in the lake")
    files = {file["uri"]: file for report in reports for file in report["files"]}
    folders = Counter(file["partition"] for file in files.values())
    for folder, count in sorted(folders.items()):
        size = sum(file["bytes"] for file in files.values() if file["partition"] == folder)
        console.print(f"{folder:<40} {count:>3} files {size:>8} bytes")
    console.print("such as", min(files), sep="\n", soft_wrap=True)


def _print_rows(console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    console.rule("five rows of the result, read back from the files")
    table = Table(box=None, pad_edge=False)
    for name in SHOWN_COLUMNS:
        table.add_column(name, no_wrap=name not in WRAPPED_COLUMNS)
    for row in _read_rows():
        table.add_row(*(Text(_cell_text(name, row[name])) for name in SHOWN_COLUMNS))
    console.print(table)


def _cell_text(name: str, value: Any) -> str:
    if name == "items":
        return ", ".join(f"{item['quantity']} × {item['unit_price']}" for item in value[:2]) + (
            f", {len(value) - 2} more" if len(value) > 2 else ""
        )
    return str(value)


def _read_rows() -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from plait.engine.context import Services
    from plait.plugin import StoredObject

    objects = Services().objects
    uris = [item.uri for item in objects.list("s3://shop-lake/extracted/transactions/")][:SHOWN_ROWS]
    rows: list[dict[str, Any]] = []
    for file in objects.get(uris):
        if isinstance(file, StoredObject):
            rows += pq.ParquetFile(pa.BufferReader(file.data)).read().to_pylist()
    return rows[:SHOWN_ROWS]


def _print_quarantine(console: Console) -> None:
    from rich.text import Text

    from plait.engine.context import Services
    from plait.plugin import StoredObject

    console.rule("quarantined, and why")
    table = _table_of_two()
    objects = Services().objects
    uris = [item.uri for item in objects.list("s3://shop-lake/quarantine/transactions/")]
    for file in objects.get(uris):
        if isinstance(file, StoredObject):
            record = json.loads(file.data)
            name = record["object"].removeprefix("s3://shop-raw/transactions/")
            table.add_row(Text(name), Text(f"{record['code']}: {record['message']}"))
    console.print(table)
