"""Canaries: whatever is said while tests run is searched for texts that may only lie where they were put.

Every secret of the tests has `canary-secret-` in it, which may be seen nowhere. Payload has `canary-payload-` in it, which
may be in the files of a lake, of a quarantine, and in what `preview` and `quarantine` print. A test during which one is
seen elsewhere fails.
"""

import contextlib
import io
import os
import subprocess
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kit.watch.workers import has_workers, lines_about, tell

SECRET, PAYLOAD = "canary-secret-", "canary-payload-"
SHOW_PAYLOAD = {"preview", "quarantine"}  # the commands that print values of records
LEAKS = "leaks"
AROUND, LONGEST = 60, 16_000_000
# The folder of a database has its passwords, and a library of machine code has no text of ours.
DATABASE = "ibdata1"
MACHINE_CODE = {".so", ".zip", ".whl", ".pyc"}
_seen: list[str] = []
_original: list[tuple[Any, str, Any]] = []


def look(where: str, *values: Any, payload: bool = False) -> None:
    """Remember each canary in what was said there; `payload` says whether that may have some."""
    words = [SECRET] if payload else [SECRET, PAYLOAD]
    for text in map(_text, values):
        places = [text.find(word) for word in words]
        _seen.extend(f"{where}: …{text[max(0, at - AROUND) : at + AROUND]!r}…" for at in places if at >= 0)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, BaseException):
        shown = traceback.TracebackException.from_exception(value, capture_locals=False)
        return "".join(shown.format())
    return value if isinstance(value, str) else "" if value is None else repr(value)


def pytest_configure(config: pytest.Config) -> None:
    """Watch what tests swallow."""
    config.addinivalue_line("markers", "shows_canaries(why): the test lets one be seen on purpose")
    _watch(subprocess.Popen, "communicate", _communicated)
    _watch(pytest.CaptureFixture, "readouterr", _captured)
    _watch(CliRunner, "invoke", _invoked)
    for stream in (contextlib.redirect_stdout, contextlib.redirect_stderr):
        _watch(stream, "__exit__", _redirected)
    from plait.aws.clients import mute_bodies
    from plait_sandbox.aws import LocalAws

    mute_bodies()  # of the clients of tests themselves
    _watch(LocalAws, "stop", _stored)


def pytest_unconfigure() -> None:
    """Leave the classes as they were."""
    while _original:
        owner, name, function = _original.pop()
        setattr(owner, name, function)


def _watch(owner: Any, name: str, watched: Callable[..., Any]) -> None:
    function = getattr(owner, name)
    _original.append((owner, name, function))

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        return watched(function, self, *arguments, **named)

    setattr(owner, name, method)


def _communicated(function: Any, self: subprocess.Popen[Any], *arguments: Any, **named: Any) -> Any:
    out, err = outputs = function(self, *arguments, **named)
    words = self.args if isinstance(self.args, (list, tuple)) else [self.args]
    where = f"the output of `{' '.join(map(str, words))[:200]}`"
    look(where, out, payload=not SHOW_PAYLOAD.isdisjoint(words))
    look(where, err)
    return outputs


def _captured(function: Any, self: Any) -> Any:
    captured = function(self)
    look("what `readouterr` gave", *captured)
    return captured


def _invoked(function: Any, self: Any, command: Any, arguments: Any = (), *others: Any, **named: Any) -> Any:
    result = function(self, command, arguments, *others, **named)
    where = f"the command `{arguments}`"
    look(where, result.stdout, payload=not SHOW_PAYLOAD.isdisjoint(arguments or ()))
    look(where, result.stderr, result.exception)
    return result


def _redirected(function: Any, self: Any, *error: Any) -> Any:
    if isinstance(target := self._new_target, io.StringIO):
        look("a redirected stream", target.getvalue())
    return function(self, *error)


def _stored(function: Any, self: Any) -> None:
    if self.process.poll() is None:
        _search_buckets(self.endpoint)
    function(self)


def _search_buckets(endpoint: str) -> None:
    """Look at each object of a stand-in for AWS; payload is what it is there for."""
    import boto3
    from botocore.config import Config

    session = boto3.session.Session("sandbox", "sandbox", region_name="eu-west-1")
    client: Any = session.client("s3", endpoint_url=endpoint, config=Config(max_pool_connections=8))

    def search(bucket: str, key: str) -> None:
        body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        look(f"s3://{bucket}/{key}", key, body, payload=True)

    with contextlib.closing(client), ThreadPoolExecutor(8) as pool:
        for bucket in client.list_buckets()["Buckets"]:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"])
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
            list(pool.map(search, [bucket["Name"]] * len(keys), keys))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    for name, text in report.sections:
        if name.endswith(call.when):
            look(name, text)
    if report.longrepr and report.failed:
        look("the report of the failure", str(report.longrepr), payload=True)
    if _seen and item.get_closest_marker("shows_canaries") is None:
        before = f"{report.longrepr}\n" if report.failed else ""
        report.outcome, report.longrepr = "failed", f"{before}seen where it must not be: " + "\n".join(_seen)
    _seen.clear()
    return report  # type: ignore[return-value]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look at all files that the tests of this process left."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None and factory._basetemp is not None and not has_workers(session.config):
        _search_files(factory.getbasetemp())
        tell(session.config, LEAKS, *_seen)
    if lines_about(session.config, LEAKS):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _search_files(base: Path) -> None:
    for folder, folders, files in os.walk(base):
        if DATABASE in files:
            folders.clear()
            continue
        for file in (Path(folder, name) for name in files):
            if file.suffix not in MACHINE_CODE and file.is_file():
                with file.open("rb") as opened:
                    look(f"the file {file}", opened.read(LONGEST), payload=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which files have a canary that they must not have."""
    for line in lines_about(config, LEAKS):
        terminalreporter.write_line(f"LEAKED: {line}")
