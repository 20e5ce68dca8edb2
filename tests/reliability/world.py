"""The main job's world for one schedule after another: its sources change, messages are delivered, and a model says what must be."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kit.network.proxy import Proxy
from kit.servers.logs import Logs
from kit.shop import SPEC, Shop, queue
from kit.specs import edited
from plait.aws_lambda import function as aws_lambda
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.language.validate import validate_for_run

from .truth import PATIENCE, Truth, Verdict, aside, place, read

GROUP, SECRET, USER = "/schedules/{}", "shop/schedules-db", "schedules"
ORDERED = datetime(2026, 7, 2, 10, tzinfo=UTC)
CHANGES = {
    "    cache: 5m\n": "",
    "log_group: /shop/tx-fraud-score": "log_group: ${group}",
    "parameters:\n": "parameters:\n  group: {env: GROUP}\n",
    "{on: transaction_id, as: list}": "{on: transaction_id, as: list, missing: {retry_for: 10m}}",
    "duplicates: latest}": "duplicates: latest, missing: {retry_for: 10m}}",
}
DROPPED = "      loyalty_points: {type: bigint, from: embedded_data.loyalty.points}\n"


def specs(folder: Path) -> list[Path]:
    """The pipeline, waiting for what is late, and the same with a column less."""
    text = edited(SPEC.read_text(encoding="utf-8"), CHANGES)
    files = [folder / "first.yaml", folder / "second.yaml"]
    files[0].write_text(text, encoding="utf-8")
    files[1].write_text(edited(text, {DROPPED: ""}), encoding="utf-8")
    return files


@dataclass
class Clock:
    """The time of plait and of the logs, which stands still until it is set."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def seconds(self) -> float:
        """The time in seconds."""
        return self.now.timestamp()


class Stage:
    """What all schedules share: the shop, a proxy, strict logs, and a database user whose password changes."""

    def __init__(self, shop: Shop, proxy: Proxy, logs: Logs, files: list[Path], clock: Clock) -> None:
        self.shop, self.proxy, self.logs, self.files, self.clock = shop, proxy, logs, files, clock
        self.numbers = itertools.count(1)
        self.passwords = itertools.count(1)
        self.client = Services().client
        mysql, password = shop.sandbox.mysql, "canary-secret-first"
        self.login = {"host": "127.0.0.1", "port": mysql.port, "username": USER, "password": password}
        mysql.execute(f"CREATE OR REPLACE USER {USER}@'127.0.0.1' IDENTIFIED BY '{password}'")
        mysql.execute(f"GRANT SELECT ON stores.* TO {USER}@'127.0.0.1'")
        secrets = shop.sandbox.client("secretsmanager")
        secrets.create_secret(Name=SECRET, SecretString=json.dumps(self.login))

    def rotate(self, *, cut: bool) -> None:
        """Give the database user another password, and tell the secret; `cut` ends connections."""
        self.login["password"] = f"canary-secret-{next(self.passwords)}"
        mysql = self.shop.sandbox.mysql
        mysql.execute(f"ALTER USER {USER}@'127.0.0.1' IDENTIFIED BY '{self.login['password']}'")
        if cut:
            mysql.execute(f"KILL USER {USER}")
        secrets = self.shop.sandbox.client("secretsmanager")
        secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps(self.login))


class World:
    """One schedule's world: `pending` are the messages not yet acknowledged, by their keys.

    The process is `warm` once it has made a row: it has asked all sources, and holds a connection and a secret.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage, self.shop = stage, stage.shop
        self.name = f"schedules/{next(stage.numbers)}"
        self.truth = Truth(stores=self.shop.sample.stores, activity=self.shop.sample.activity)
        self.pending: list[str] = []
        self.last: dict[str, Verdict] = {}
        self.tried: dict[str, list[Verdict]] = {}
        self.written: set[str] = set()
        self.start = stage.clock.now = datetime.now(UTC)
        self.variant = 0
        self.group = GROUP.format(self.name)
        stage.logs.put(self.group)
        stage.proxy.reset()
        self.restart()

    def restart(self, variant: int | None = None) -> None:
        """Start a new process: nothing is known of the last one, and maybe another spec is deployed."""
        self.variant = self.variant if variant is None else variant
        self.warm = False
        buckets = {"raw": f"s3://shop-raw/{self.name}", "lake": f"s3://shop-lake/{self.name}"}
        values = {**buckets, "shop_secret": SECRET, "group": self.group}
        validated = validate_for_run(str(self.stage.files[self.variant]), values)
        assert validated.spec is not None, validated.problems
        services = Services(now=lambda: self.stage.clock.now)
        services.client = self.stage.client  # to make clients anew takes longer than all else in a schedule
        aws_lambda._engines[str(self.stage.files[0])] = Engine(validated.spec, services)

    def jump(self, seconds: int) -> None:
        """Set the clock so many seconds after the beginning."""
        self.stage.clock.now = self.start + timedelta(seconds=seconds)
        self.truth.now = seconds

    @property
    def dropped(self) -> tuple[str, ...]:
        """The columns that the spec in force does not have."""
        return ("loyalty_points",) if self.variant else ()

    def put(self, key: str, body: bytes) -> None:
        """Put an object."""
        self.truth.objects[key] = body
        self.shop.put(f"{self.name}/{key}", body)

    def delete(self, key: str) -> None:
        """Delete an object, as its owner may."""
        self.truth.objects.pop(key, None)
        self.shop.client.delete_object(Bucket="shop-raw", Key=f"{self.name}/{key}")

    def log(self, order: str, score: int, delay: int) -> None:
        """Write the line of an order, which is found after a delay."""
        at = round(ORDERED.timestamp() * 1000) + 60_000 + len(self.truth.lines)
        text = f"[fraud] model v3: transaction {order} scored {score}"
        self.truth.lines.append((self.truth.now + delay, at, text))
        self.stage.logs.put(self.group, (at, text), delay=delay)

    def deliver(self, places: list[int], *, killed: bool = False) -> None:
        """Hand out pending messages; those acknowledged are gone, and of a process that was killed none is."""
        keys = [self.pending[place] for place in places]
        verdicts = {key: self.truth.verdict(key, self.dropped) for key in keys}
        for key, verdict in verdicts.items():
            self.tried.setdefault(key, []).append(verdict)
        answer, report = self._handle(keys)
        if killed:
            self.restart()
            return
        again = {int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
        assert again == {n for n, key in enumerate(keys) if not verdicts[key].acknowledged}
        self._add_up(report, verdicts)
        self.warm |= any(verdict.kind == "row" for verdict in verdicts.values())
        done = [place for n, place in enumerate(places) if n not in again]
        self.pending = [key for place, key in enumerate(self.pending) if place not in done]
        self.last.update({key: verdict for key, verdict in verdicts.items() if verdict.acknowledged})

    def _handle(self, keys: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        event = queue([f"{self.name}/{key}" for key in keys])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            answer = aws_lambda.handler(event)
        lines = [json.loads(line) for line in printed.getvalue().splitlines()]
        return answer, next(line for line in lines if line["message"] == "report")

    @staticmethod
    def _add_up(report: dict[str, Any], verdicts: dict[str, Verdict]) -> None:
        kinds = [verdict.kind for verdict in verdicts.values()]
        rows, bad = kinds.count("row"), kinds.count("bad")
        wanted = {"seen": len(kinds), "done": rows + bad, "retry": kinds.count("waits"), "failed": 0}
        assert report["objects"] == wanted | {word: kinds.count(word) for word in ("skipped", "gone")}
        records = {"read": rows + bad, "written": rows, "dropped": 0, "quarantined": bad, "left_out": 0}
        assert report["records"] == records
        assert report["rows"] == len(report["files"]) == rows

    def mend(self) -> None:
        """End all faults; what was asked for till now deleted nothing, and wrote to the sink and quarantine alone."""
        sinks = tuple(f"/shop-lake/{self.name}/{kind}/transactions/" for kind in ("extracted", "quarantine"))
        for request in self.stage.proxy.log:
            assert not request.operation.startswith("s3:Delete")
            assert request.operation != "s3:PutObject" or request.path.startswith(sinks)
        self.stage.proxy.reset()

    def files(self) -> dict[str, bytes]:
        """All that lies in the lake, by its key there; what once lay there still does."""
        files = self.shop.below(f"{self.name}/")
        assert files.keys() >= self.written
        self.written = set(files)
        return files

    def settle(self) -> None:
        """Let all waiting end, and deliver in calm what is not yet acknowledged."""
        self.mend()
        self.jump(2 * PATIENCE)
        self.restart()
        while self.pending:
            self.deliver(list(range(min(10, len(self.pending)))))
        self.mend()

    def check(self) -> None:
        """The lake has the newest state of every object that was announced, and nothing that never was."""
        files = self.files()
        for key, verdict in self.last.items():
            if key in self.truth.objects and key.endswith(".json"):
                assert verdict.raw == self.truth.objects[key], f"{key} was acknowledged in an older version"
            if verdict.row is not None:
                assert read(files, place(self.uri(key), verdict.row)) == verdict.row
            if verdict.kind == "bad":
                record = json.loads(files[aside(self.uri(key))])
                assert (record["raw"].encode(), record["object"]) == (verdict.raw, self.uri(key))
        assert set(files) <= {name for key in self.tried for name in self._possible(key)}
        for key, verdicts in self.tried.items():
            rows = [verdict.row for verdict in verdicts if verdict.row]
            assert all(
                read(files, place(self.uri(key), row)) in rows
                for row in rows
                if place(self.uri(key), row) in files
            )

    def uri(self, key: str) -> str:
        """The URI of an object."""
        return f"s3://shop-raw/{self.name}/{key}"

    def _possible(self, key: str) -> set[str]:
        rows = {place(self.uri(key), v.row) for v in self.tried[key] if v.row}
        return rows | {aside(self.uri(key)) for v in self.tried[key] if v.kind == "bad"}
