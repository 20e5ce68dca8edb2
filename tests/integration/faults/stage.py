"""Three orders of the main job, delivered by a queue to the handler in this process, through proxies that can fail."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from kit.locked import locked
from kit.network import faults
from kit.network.tcp import CALM, Weather
from kit.shop import queue
from kit.tables import table
from plait.aws_lambda import function as aws_lambda
from plait.cli.main import main
from plait.plugin import PlaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

    from kit.network.proxy import Proxy, When
    from kit.network.tcp import TcpProxy
    from kit.shop import Shop

VERDICTS = table(Path(__file__).with_name("verdicts.yaml"))
SECRET, USER = "shop/stores-behind-a-proxy", "faults"
RAW, LAKE = "s3://shop-raw/faults", "s3://shop-lake/faults"
REQUESTS: dict[str, tuple[str, str]] = VERDICTS["requests"]
ACTIONS: dict[str, tuple[When, Callable[[str], faults.Action]]] = {
    "throttled": ("before", faults.throttled),
    "denied": ("before", faults.denied),
    "error-500": ("before", lambda service: faults.broken(service, 500)),
    "error-503": ("before", lambda service: faults.broken(service, 503)),
    "silent": ("before", lambda _: faults.stall()),
    "reset": ("before", lambda _: faults.reset()),
    "lost": ("after", lambda _: faults.drop()),
    "short": ("after", lambda _: faults.short()),
    "garbage": ("before", lambda _: faults.garbage()),
    "portal": ("before", lambda _: faults.portal()),
    "noise": ("after", lambda _: faults.noise()),
    "damaged": ("before", lambda _: faults.damaged()),
}
SILENCE = {"once": "1.5", "forever": "0.3"}  # seconds that a call may go unanswered
SECOND = {"replace-put", "head"}  # what is only asked for where the files stand already
FULL = b"\x17\x00\x00\x00\xff\x10\x04Too many connections"


@dataclass
class Delivered:
    """What a delivery ended with: the messages that come again, the report, and every text that a user may see."""

    failures: set[str] = field(default_factory=set)
    report: dict[str, Any] = field(default_factory=dict)
    seen: str = ""
    raised: BaseException | None = None

    def errors(self) -> list[dict[str, Any]]:
        """The problems of the report that are errors."""
        return [problem for problem in self.report["problems"] if problem["level"] == "error"]


@dataclass
class Stage:
    """The shop, the proxies between plait and it, and the messages: two good orders and one that is no JSON."""

    shop: Shop
    proxy: Proxy
    tcp: TcpProxy
    keys: list[str]
    spec: Path
    login: dict[str, Any]
    logged: list[logging.LogRecord] = field(default_factory=list)
    begun: dict[str, str] = field(default_factory=dict)
    broken: bool = False

    def environment(self) -> dict[str, str]:
        """The environment of the function."""
        own = {
            "AWS_ENDPOINT_URL": self.proxy.endpoint,
            "PLAIT_SPEC": locked(self.spec),
            "SHOP_SECRET": SECRET,
            "PLAIT_ENV_ALLOW": "RAW,LAKE,SHOP_SECRET",
        }
        return self.shop.sandbox.environment() | own | {"RAW": RAW, "LAKE": LAKE, "PLAIT_BACKOFF": "0.005"}

    def begin(self, patch: pytest.MonkeyPatch, *, warm: bool = False, **environment: str) -> None:
        """Empty the lake and, unless `warm`, forget what the process knows."""
        self.mend()
        self.proxy.reset()
        if not (warm and environment == self.begun):
            aws_lambda._engines.clear()
            self.proxy.hang_up()
        self.begun = environment
        for name, value in (self.environment() | environment).items():
            patch.setenv(name, value)
        if files := self.lake():
            keys: Any = {"Objects": [{"Key": key} for key in files]}
            self.shop.client.delete_objects(Bucket="shop-lake", Delete=keys)

    def start_anew(self, patch: pytest.MonkeyPatch, **environment: str) -> None:
        """Start another process, as it were, with this environment."""
        aws_lambda._engines.clear()
        for name, value in environment.items():
            patch.setenv(name, value)

    def deliver(self, messages: Sequence[str] = ("0", "1", "2"), seconds: float | None = None) -> Delivered:
        """Hand messages to the function, which has so many seconds."""
        event = queue([f"faults/{self.keys[int(n)]}" for n in messages])
        for record, name in zip(event["Records"], messages, strict=True):
            record["messageId"] = name
        return self.handle(event, seconds)

    def handle(self, event: Any, seconds: float | None = None) -> Delivered:
        """Hand an event to the function, which has so many seconds."""
        self.logged.clear()
        with self._watched(), contextlib.redirect_stdout(io.StringIO()) as printed:
            delivered = _handled(event, seconds)
        delivered.seen += printed.getvalue()
        lines = [json.loads(line) for line in printed.getvalue().splitlines()]
        delivered.report = next((line for line in lines if line["message"] == "report"), {})
        return delivered

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Within, what any library logs is kept, at DEBUG."""
        root, keeper = logging.getLogger(), _Keeper(self.logged)
        before = root.level
        root.addHandler(keeper)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(keeper)
            root.setLevel(before)

    def command(self, name: str = "run", *options: str) -> Delivered:
        """Run a command of plait over the same orders; its failures are none or everything."""
        done = CliRunner().invoke(main, [name, str(self.spec), *options, "-o", "json"])
        ended = Delivered(
            seen=done.output, raised=None if isinstance(done.exception, SystemExit) else done.exception
        )
        ended.report = json.loads(done.stdout) if done.stdout else {}
        ended.failures = set() if done.exit_code == 0 else {"everything"}
        return ended

    def lake(self) -> dict[str, str]:
        """The files of the lake and of quarantine, each with the digest of its bytes."""
        listing = self.shop.client.list_objects_v2(Bucket="shop-lake", Prefix="faults/")
        return {file["Key"]: file["ETag"] for file in listing.get("Contents", ())}

    def fail(self, service: str, failure: str, *, forever: bool, number: int = 1) -> None:
        """Break the n-th request of a service, or each from there on."""
        if service.startswith("mysql-"):
            self._storm(service, failure, forever=forever)
            return
        operation, path = REQUESTS[service]
        when, action = ACTIONS[failure]
        self.proxy.on(
            number, when, action(operation.split(":")[0]), operation=operation, path=path, forever=forever
        )

    def _storm(self, service: str, failure: str, *, forever: bool) -> None:
        self.broken = True
        if failure == "denied":
            self.shop.sandbox.mysql.execute(f"REVOKE SELECT ON stores.* FROM {USER}@'127.0.0.1'")
            return
        if failure == "rotated":
            self._rotate(secret_follows=not forever)
            return
        place = 20 if service == "mysql-connect" else self.tcp.passed[-1] - 20
        weather = {
            "refused": Weather(refuse=True),
            "cut": Weather(cut_after=place),
            "silent": Weather(stall_after=place),
            "slow": Weather(latency=0.05),
            "garbage": Weather(garble_after=place),
            "full": Weather(instead=FULL),
        }[failure]
        if forever:
            self.tcp.weather = weather
        else:
            self.tcp.storm(weather)

    def _rotate(self, *, secret_follows: bool) -> None:
        """Change the password and end the sessions of the old one; the secret is told at once, or by `mend`."""
        self.login["password"] += "x"
        mysql = self.shop.sandbox.mysql
        mysql.execute(f"ALTER USER {USER}@'127.0.0.1' IDENTIFIED BY '{self.login['password']}'")
        mysql.execute(f"KILL USER {USER}@'127.0.0.1'")
        if secret_follows:
            self.tell()

    def tell(self) -> None:
        """Put the login as it is into the secret."""
        secrets = self.shop.sandbox.client("secretsmanager")
        secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps(self.login))

    def mend(self) -> None:
        """Let everything work again."""
        self.proxy.mend()
        self.tcp.weather = CALM
        if self.broken:
            self.tell()
            self.shop.sandbox.mysql.execute(f"GRANT SELECT ON stores.* TO {USER}@'127.0.0.1'")
            self.broken = False


class _Keeper(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@dataclass
class _Context:
    end: float

    def get_remaining_time_in_millis(self) -> int:
        return int((self.end - time.monotonic()) * 1000)


def _handled(event: Any, seconds: float | None) -> Delivered:
    context = None if seconds is None else _Context(time.monotonic() + seconds)
    try:
        answer = aws_lambda.handler(event, context)
    except PlaitError as error:
        return Delivered(raised=error, seen=f"{error.message} {error.help}")
    except Exception as error:  # noqa: BLE001 - what a user must never see is what the tests look for
        return Delivered(raised=error, seen=repr(error))
    return Delivered(
        {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}, seen=json.dumps(answer)
    )
