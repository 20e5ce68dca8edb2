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

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    from plait_sandbox.demo_table import make_table, print_partitions, with_table
    from plait_sandbox.locked_spec import locked_copy
    from plait_sandbox.sample_data import sample
    from plait_sandbox.sandbox import start_sandbox

    console = Console(highlight=False)
    with start_sandbox(flavour) as sandbox, tempfile.TemporaryDirectory() as folder:
        os.environ.update(sandbox.environment())
        spec = with_table(Path(spec_file()), Path(folder))
        os.environ["PLAIT_SPEC"] = str(locked_copy(spec, Path(folder)))
        console.rule("sandbox")
        console.print(f"AWS is moto at {sandbox.aws.endpoint}, MySQL is {sandbox.mysql.flavour}")
        _print_plan(console, spec)
        orders = sample()
        sandbox.fill(orders)
        make_table(console, spec)
        console.rule("S3 announces the objects, and the handler runs")
        announced = sum(key.startswith("transactions/") for key in orders.objects)
        console.print(
            f"put {len(orders.objects)} objects; {announced} are announced, {REPEATED} of them twice"
        )
        reports, failed = _deliver(sandbox, announced + REPEATED)
        _print_report(console, reports, failed)
        _print_files(console, reports)
        print_partitions(console, sandbox)
        _print_rows(console, spec)
        _print_quarantine(console, sandbox)
        return 1 if failed else 0


def _print_plan(console: Console, spec: Path) -> None:
    from plait.cli.loading import load_pipeline
    from plait.cli.views.plan import plan_paragraphs

    console.rule(f"plait plan {spec.name}")
    text = "\n\n".join(plan_paragraphs(load_pipeline(str(spec), {}).plan(), brief=True))
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
    """Give the messages of the queue to the handler, then the first five once more.

    Returns the reports of all calls, and how many messages failed.
    """
    from rich.console import Console
    from rich.progress import Progress

    reports: list[dict[str, Any]] = []
    repeated: list[dict[str, Any]] = []
    failed = 0
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("events", total=events)
        while messages := sandbox.receive(10) or repeated:
            report, failures = _invoke(messages)
            reports.append(report)
            bar.advance(task, len(messages))
            if messages is repeated:
                break
            repeated = repeated or messages[:REPEATED]
            failed += len(failures)
            sandbox.delete([message for message in messages if message["MessageId"] not in failures])
    return reports, failed


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
    console.print(f"{len(reports)} invocations, {failed} messages to come again")
    table = _table_of_two()
    for title in ("objects", "records", "calls"):
        totals: Counter[str] = Counter()
        for report in reports:
            totals.update(report[title])
        names = sorted(totals) if title == "calls" else totals
        table.add_row(title, ", ".join(f"{name} {totals[name]}" for name in names))
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


def _print_rows(console: Console, spec: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    import plait

    console.rule("five rows of the result, read back by awswrangler")
    table = Table(box=None, pad_edge=False)
    for name in SHOWN_COLUMNS:
        table.add_column(name, no_wrap=name not in WRAPPED_COLUMNS)
    for row in plait.load(spec).table(SHOWN_COLUMNS).slice(0, SHOWN_ROWS).to_pylist():
        table.add_row(*(Text(_cell_text(name, row[name])) for name in SHOWN_COLUMNS))
    console.print(table)


def _cell_text(name: str, value: Any) -> str:
    if name == "items":
        return ", ".join(f"{item['quantity']} × {item['unit_price']}" for item in value[:2]) + (
            f", {len(value) - 2} more" if len(value) > 2 else ""
        )
    return str(value)


def _lake_files(sandbox: Sandbox, prefix: str) -> list[bytes]:
    from plait_sandbox.sandbox import LAKE

    s3 = sandbox.client("s3")
    entries = s3.list_objects_v2(Bucket=LAKE, Prefix=prefix)["Contents"]
    return [s3.get_object(Bucket=LAKE, Key=entry["Key"])["Body"].read() for entry in entries]


def _print_quarantine(console: Console, sandbox: Sandbox) -> None:
    from rich.text import Text

    from plait_sandbox.sandbox import RAW

    console.rule("quarantined, and why")
    table = _table_of_two()
    for file in _lake_files(sandbox, "quarantine/"):
        record = json.loads(file)
        name = record["object"].removeprefix(f"s3://{RAW}/transactions/")
        table.add_row(Text(name), Text(f"{record['code']}: {record['message']}"))
    console.print(table)
