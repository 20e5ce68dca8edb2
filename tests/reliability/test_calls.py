"""The calls of many orders are those that the plan predicts of the run's own quantities, and hardly more than the fewest.

The services stand in memory; each counts what it is asked for, as servers do, and tells plait, as clients do.
"""

from __future__ import annotations

import json
from collections import Counter
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.shop import DynamoDB, Logs, Memory, Stores, clean, engine, orders_of
from plait.plan.costs import assumptions_of_report, forecast
from plait.plan.estimate import estimate

from .budget import LARGE, budget
from .results import Results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plait.engine.report import Report
    from plait.plugin import Item, Key, Put
    from plait_sandbox.sample_data import Sample

    Count = Callable[[str, int], None]

ORDERS = budget(3_000, 100_000)
MARGIN = 1.02
OF_OBJECTS = ("s3:GetObject", "s3:PutObject")
LISTED, LINES = 1_000, 10_000  # on a page


class Objects(Memory):
    """S3 in memory."""

    def __init__(self, sample: Sample, count: Count) -> None:
        super().__init__({f"s3://shop-raw/{key}": body for key, body in sample.objects.items()})
        self.count = count

    def list(self, prefix: str) -> Iterator[Item]:
        items = [*super().list(prefix)]
        self.count("s3:ListObjectsV2", ceil(len(items) / LISTED))
        return iter(items)

    def get(self, uris: Sequence[str], limit: int | None = None) -> Any:
        self.count("s3:GetObject", len(uris))
        return super().get(uris, limit)

    def put(self, puts: Sequence[Put]) -> Any:
        self.count("s3:PutObject", len(puts))
        return super().put(puts)


class Customers(DynamoDB):
    """A boto3 client of DynamoDB."""

    def __init__(self, sample: Sample, count: Count) -> None:
        super().__init__(sample)
        self.count = count

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803 - as boto3 has it
        self.count("dynamodb:BatchGetItem", 1)
        return super().batch_get_item(RequestItems)


class Lines(Logs):
    """A boto3 client of CloudWatch Logs."""

    def __init__(self, sample: Sample, count: Count) -> None:
        super().__init__(sample)
        self.count = count

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        for page in super().paginate(**request):
            self.count("logs:FilterLogEvents", 1)
            yield page


class Database(Stores):
    """The look-up of stores, which logs in once."""

    def __init__(self, sample: Sample, count: Count) -> None:
        super().__init__(sample)
        self.count, self.login = count, ["secretsmanager:GetSecretValue", "mysql:Connect"]

    def fetch(self, keys: Sequence[Key]) -> Any:
        for operation in (*self.login, "mysql:Query"):
            self.count(operation, 1)
        self.login = []
        return super().fetch(keys)


def counted_run(sample: Sample, batch: int) -> tuple[Counter[str], Report]:
    """What the services counted of a run over all orders, and its report."""
    made, calls = engine(sample), Counter[str]()

    def count(operation: str, number: int) -> None:
        calls[operation] += number
        made.services.count(operation, number)

    clients = {"dynamodb": Customers(sample, count), "logs": Lines(sample, count)}
    made.services.client = clients.__getitem__  # type: ignore[assignment]
    made.services.objects = Objects(sample, count)
    made.lookups.opened["stores"] = Database(sample, count)
    return calls, made.run(made.find(), batch=batch)


def fewest(sample: Sample) -> Counter[str]:
    """The calls that no program can spare: each object once, each key once in full requests, full pages."""
    orders = [json.loads(sample.objects[key]) for key in orders_of(sample)]
    customers = {order["customer_id"] for order in orders}
    listed = [key for key in sample.objects if key.startswith("transactions/")]
    return Counter(
        {
            "s3:ListObjectsV2": ceil(len(listed) / LISTED),
            "s3:GetObject": 2 * len(orders),
            "s3:PutObject": len(orders),
            "dynamodb:BatchGetItem": ceil(len(customers) / 100),
            "logs:FilterLogEvents": ceil(len(sample.logs) / LINES),
            "secretsmanager:GetSecretValue": 1,
            "mysql:Connect": 1,
            "mysql:Query": 1,
        }
    )


@pytest.fixture(scope="module")
def sample() -> Sample:
    return clean(ORDERS)


@pytest.mark.parametrize("batches", [10, 100] if LARGE else [10])
def test_many_orders_take_the_predicted_calls_and_hardly_more_than_the_fewest(
    sample: Sample, batches: int, results: Results
) -> None:
    """In batches such as those of one machine, and in the smaller ones of many."""
    with results.part(f"calls in {batches} batches", None, orders=ORDERS) as counts:
        calls, report = counted_run(sample, ORDERS // batches)
        spec, least = engine(sample).spec, fewest(sample)
        assert forecast(spec, assumptions_of_report(spec, report.as_json())).calls == calls
        assert least.total() <= calls.total() <= MARGIN * least.total()
        estimated = Counter(estimate(spec, report.objects["seen"], ORDERS // batches, 1, {}).costs.calls)
        assert [estimated[name] for name in OF_OBJECTS] == [calls[name] for name in OF_OBJECTS]
        assert abs(estimated.total() - calls.total()) <= (MARGIN - 1) * calls.total()
        counts |= {"calls": calls.total(), "fewest": least.total(), "estimated": estimated.total()}
