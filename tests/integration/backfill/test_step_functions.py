"""A backfill on Step Functions: moto runs the stack's Distributed Map over the plan's list, with the real handler."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from fnmatch import fnmatch
from io import StringIO
from pathlib import Path
from threading import Event, Lock, current_thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

import plait
from kit.locked import locked
from kit.servers.buckets import buckets, contents
from plait.aws_lambda import function, handler
from plait.aws_lambda.marker import fingerprint
from plait.backfill import step_functions
from plait.backfill.backfill import Backfill
from plait.backfill.step_functions import event_of
from plait.cli.main import main
from plait.deploy.stack_history import definition, history_parts
from plait.plugin import GiveUp, PlaitError, TryAgain, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from click.testing import Result

    from plait.backfill.state import State

SPEC = """
plait: 1
name: orders
parameters: {lake: {env: LAKE, default: "s3://history/lake"}}
sources:
  orders: {connector: json, path: "s3://history/in/*.json", columns: {id: string, day: date, n: int}}
  items:
    connector: csv
    path: "s3://history/items/{id}.csv"
    join: {on: id, as: list, missing: {retry_for: 1h}}
    columns: {sku: string}
partition_by: {day: day}
sink: {connector: parquet, path: "${lake}/out/"}
quarantine: ${lake}/bad/
"""
ORDERS = 23
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:plait"


class Stack:
    """The state machine of the stack, whose function is the real handler in this process."""

    def __init__(self, s3: Any, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.s3, self.folder, self._patch = s3, folder, patch
        self.events: list[dict[str, Any]] = []
        self.failing: set[int] = set()
        self.release = Event()  # which invocations wait for, all or those of the batches `held`
        self.release.set()
        self.held: set[int] = set()
        self.running = self.most_running = 0
        self._counting = Lock()
        self._alone = Lock()  # a sandbox of Lambda has an event at a time
        text = json.dumps(definition("history", "results")).replace("${AWS::Partition}", "aws")
        text = text.replace("${Function}", ARN).replace('"IntervalSeconds": 5', '"IntervalSeconds": 1')
        text = text.replace('"MaxAttempts": 4', '"MaxAttempts": 1')
        client = boto3.client("stepfunctions")
        role = "arn:aws:iam::123456789012:role/history"
        self.machine = client.create_state_machine(name="plait-history", definition=text, roleArn=role)[
            "stateMachineArn"
        ]
        client.close()
        patch.setattr(lambda_eval_utils, "_invoke_lambda_function", self.invoke)

    def invoke(self, parameters: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Answer as Lambda's Invoke does."""
        assert parameters["FunctionName"] == ARN
        event = json.loads(parameters["Payload"])
        self.events.append(event)
        if event["batch"] in self.failing:
            return {
                "FunctionError": "Unhandled",
                "Payload": {"errorType": "Runtime.ExitError"},
                "StatusCode": 200,
            }
        with self._counting:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        if not self.held or event["batch"] in self.held:
            self.release.wait(60)
        try:
            with self._alone, redirect_stdout(StringIO()):
                return {"Payload": handler(event), "StatusCode": 200}
        except PlaitError as error:
            return {"FunctionError": "Unhandled", "Payload": {"errorType": type(error).__name__}}
        finally:
            with self._counting:
                self.running -= 1

    def replace(self, name: str, state: dict[str, Any]) -> None:
        """Take another state machine, of this state alone."""
        text = json.dumps({"StartAt": "It", "States": {"It": state}})
        client = boto3.client("stepfunctions")
        role = "arn:aws:iam::123456789012:role/history"
        made = client.create_state_machine(name=name, definition=text, roleArn=role)
        client.close()
        self.machine = made["stateMachineArn"]

    def load(self, lake: str) -> plait.Pipeline:
        """The pipeline, for a function that is deployed with this lake."""
        function._engines.clear()
        self._patch.setenv("LAKE", f"s3://history/{lake}")
        return plait.load(self.folder / "orders.yaml", env=["LAKE"])

    def backfill(self, lake: str, *options: str) -> Result:
        """Run the command."""
        self.load(lake)
        words = [
            "backfill",
            str(self.folder / "orders.yaml"),
            "--all",
            "--batch",
            "5",
            "-o",
            "json",
            "--env",
            "LAKE",
        ]
        return CliRunner().invoke(main, [*words, *options])

    def on_step_functions(self, lake: str, *options: str) -> Result:
        return self.backfill(lake, "--on", "stepfunctions", "--state-machine", self.machine, *options)

    def tree(self, lake: str) -> dict[str, bytes]:
        """The files of a lake and its quarantine."""
        files = contents(self.s3, "history", f"{lake}/")
        return {key.removeprefix(lake): body for key, body in files.items() if "._plait/" not in key}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Twenty-three orders on a moto of this process, one of them bad."""
    monkeypatch.setitem(default_user_config["stepfunctions"], "execute_state_machine", True)
    monkeypatch.setattr(step_functions, "POLL_SECONDS", 0.2)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PLAIT_ENV_ALLOW": "LAKE",
        "MOTO_PORT": str(port),  # where the state machine finds S3
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "orders.yaml").write_text(SPEC)
    monkeypatch.setenv("PLAIT_SPEC", locked(tmp_path / "orders.yaml"))
    s3 = boto3.client("s3")
    try:
        with buckets(s3, "history"):
            for number in range(ORDERS):
                order = {
                    "id": f"o{number}",
                    "day": f"2026-07-0{number % 3 + 1}",
                    "n": "?" if number == 4 else number,
                }
                s3.put_object(Bucket="history", Key=f"in/{number:03}.json", Body=json.dumps(order))
                s3.put_object(
                    Bucket="history", Key=f"items/o{number}.csv", Body=f"id,sku\no{number},s{number}\n"
                )
            yield Stack(s3, tmp_path, monkeypatch)
    finally:
        s3.close()
        server.stop()
        function._engines.clear()


COUNTS = ("objects", "records", "rows", "file_count", "file_bytes", "sources", "batches_left")


def test_the_lake_and_the_report_are_those_of_a_local_run(stack: Stack) -> None:
    local, on_map = stack.backfill("local"), stack.on_step_functions("map")
    assert (local.exit_code, on_map.exit_code) == (0, 0), on_map.output
    mine, others = json.loads(local.stdout), json.loads(on_map.stdout)
    assert {name: others[name] for name in COUNTS} == {name: mine[name] for name in COUNTS}
    assert stack.tree("map") == stack.tree("local")
    assert len(stack.tree("map")) == ORDERS
    assert sorted(len(event["objects"]) for event in stack.events) == [3, 5, 5, 5, 5]


def test_what_the_state_machine_and_the_function_do_is_what_the_stack_lets_them(stack: Stack) -> None:
    """Of the keys beside the sink: the list is read, markers are put, of batches done and of one that left an object."""
    stack.s3.delete_object(Bucket="history", Key="items/o7.csv")
    stack.on_step_functions("rights")
    parts = history_parts(stack.load("rights").spec)
    (role,) = parts["HistoryRole"]["Properties"]["Policies"]
    reads = role["PolicyDocument"]["Statement"][0]["Resource"]
    (markers,) = parts["MarkersPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    patterns = [pattern.partition(":s3:::history/")[2] for pattern in (reads, *markers["Resource"])]
    keys = contents(stack.s3, "history", "rights/out._plait/")
    matched = [[key.rpartition("/")[2] for key in keys if fnmatch(key, pattern)] for pattern in patterns]
    assert matched == [["map.json"], [f"{number:05}.json" for number in (1, 3, 4, 5)], ["00002.json"]]


def test_a_batch_whose_function_dies_is_left_and_runs_again_alone(stack: Stack) -> None:
    stack.failing = {2}
    ended = stack.on_step_functions("dies")
    assert ended.exit_code == 1
    assert json.loads(ended.stdout)["batches_left"] == 1
    assert "batch 2 did not end: the function put no marker" in ended.stderr
    stack.failing, stack.events = set(), []
    again = stack.on_step_functions("dies")
    assert again.exit_code == 0, again.output
    assert {event["batch"] for event in stack.events} == {2}
    assert json.loads(again.stdout)["objects"]["done"] == ORDERS


def test_an_object_that_must_come_again_is_left_with_its_batch(stack: Stack) -> None:
    """Its batch is run three times, by an execution each, and is told with the object that is left."""
    stack.s3.delete_object(Bucket="history", Key="items/o7.csv")
    ended = stack.on_step_functions("late")
    report = json.loads(ended.stdout)
    assert (ended.exit_code, report["objects"]["retry"], report["objects"]["done"]) == (1, 1, ORDERS - 1)
    assert sum(event["batch"] == 2 for event in stack.events) == 3
    stack.s3.put_object(Bucket="history", Key="items/o7.csv", Body="id,sku\no7,s7\n")
    assert stack.on_step_functions("late").exit_code == 0


def test_a_command_that_loses_its_way_to_aws_says_that_the_execution_goes_on(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(_seconds: float) -> None:
        raise TryAgain("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(step_functions, "time", SimpleNamespace(sleep=wait))
        ended = stack.on_step_functions("lost")
    assert ended.exit_code == 1
    assert "an execution that was started goes on; the same command follows it again" in ended.stderr
    assert stack.on_step_functions("lost").exit_code == 0
    assert len(stack.events) == 5


def test_where_nothing_is_left_no_execution_starts(stack: Stack) -> None:
    stack.on_step_functions("whole")
    client = boto3.client("stepfunctions")
    before = client.list_executions(stateMachineArn=stack.machine)["executions"]
    assert stack.on_step_functions("whole").exit_code == 0
    assert client.list_executions(stateMachineArn=stack.machine)["executions"] == before
    client.close()


def test_no_more_invocations_run_at_once_than_are_asked_for(stack: Stack) -> None:
    assert stack.on_step_functions("one", "--workers", "1").exit_code == 0
    assert stack.most_running == 1


def test_a_marker_of_an_earlier_run_is_no_end_of_this_one(stack: Stack) -> None:
    """A batch that left an object, and whose function dies when it runs again, did not end."""
    stack.s3.delete_object(Bucket="history", Key="items/o7.csv")
    stack.on_step_functions("twice")
    stack.failing = {2}
    assert "batch 2 did not end: the function put no marker" in stack.on_step_functions("twice").stderr


def test_a_second_command_follows_the_execution_that_runs(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And starts none, nor runs a batch twice."""
    waiting: set[str] = set()

    def wait(seconds: float) -> None:
        waiting.add(current_thread().name)
        Event().wait(seconds)

    monkeypatch.setattr(step_functions, "time", SimpleNamespace(sleep=wait))
    backfill = Backfill(stack.load("joined"), Window())
    backfill.plan(5)
    stack.release.clear()
    with ThreadPoolExecutor(2) as pool:
        commands = []
        for number in (1, 2):  # each waits for the end of what it started or found
            commands.append(pool.submit(list, backfill.run_on_step_functions(stack.machine, 10)))
            while len(waiting) < number:
                Event().wait(0.01)
        stack.release.set()
        ended = [{outcome.number for outcome in command.result()} for command in commands]
    assert ended == [{1, 2, 3, 4, 5}] * 2
    assert len(stack.events) == 5


def test_a_command_that_joins_an_execution_takes_what_that_left_before(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that left an object before the command began did end, and runs again after the others."""
    stack.s3.delete_object(Bucket="history", Key="items/o7.csv")
    stack.held = {5}
    stack.release.clear()
    backfill = Backfill(stack.load("rejoined"), Window())
    backfill.plan(5)
    first = backfill.run_on_step_functions(stack.machine, 10)
    assert next(first).objects["done"] == 5
    while len(dict(backfill.state.markers())) < 4:
        Event().wait(0.01)
    first.close()

    def wait(seconds: float) -> None:
        stack.release.set()
        Event().wait(seconds)

    monkeypatch.setattr(step_functions, "time", SimpleNamespace(sleep=wait))
    outcomes = [*backfill.run_on_step_functions(stack.machine, 10)]
    assert [outcome.failure for outcome in outcomes if outcome.failure] == []
    assert [event["batch"] for event in stack.events].count(2) == 3


def test_of_two_commands_at_once_one_follows_what_the_other_started(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    backfill = Backfill(stack.load("at-once"), Window())
    backfill.plan(5)
    put_list = step_functions._put_list

    def put_while_another_starts(state: State, numbers: Sequence[int]) -> tuple[str, str]:
        patch.undo()
        next(backfill.run_on_step_functions(stack.machine, 2))
        return put_list(state, numbers)

    with monkeypatch.context() as patch:
        patch.setattr(step_functions, "_put_list", put_while_another_starts)
        outcomes = [*backfill.run_on_step_functions(stack.machine, 10)]
    assert [outcome.failure for outcome in outcomes] == [""] * len(outcomes)
    assert len(stack.events) == 5
    assert not backfill.state.open_numbers()


@pytest.mark.parametrize("ended", ["FAILED", "ABORTED"])
def test_an_execution_that_does_not_succeed_is_told_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    """No batch is told to have failed that never ran."""
    states: dict[str, dict[str, Any]] = {
        "FAILED": {"Type": "Fail", "Error": "NotRead", "Cause": "no such list"},
        "ABORTED": {"Type": "Wait", "Seconds": 60, "End": True},
    }
    stack.replace(f"ends-{ended.lower()}", states[ended])

    def wait(seconds: float) -> None:
        client = boto3.client("stepfunctions")
        if ended == "ABORTED":
            (execution,) = client.list_executions(stateMachineArn=stack.machine)["executions"]
            client.stop_execution(executionArn=execution["executionArn"])
        client.close()
        Event().wait(seconds)

    monkeypatch.setattr(step_functions, "time", SimpleNamespace(sleep=wait))
    told = stack.on_step_functions(ended)
    assert (told.exit_code, json.loads(told.stdout)["batches_left"]) == (1, 5)
    assert told.stderr.count("error[") == 1
    assert f"ended as {ended}" in told.stderr
    assert ended != "FAILED" or "NotRead: no such list" in told.stderr


ARNS = {
    "x": 2,
    "": 2,
    "arn:aws:states:eu-west-1:123456789012:execution:plait-history:17": 2,
    "arn:aws:states:eu-west-1:123456789012:stateMachine:plait-history:1": 2,
    "arn:aws:states:us-east-2:123456789012:stateMachine:plait-history": 1,
    "arn:aws:states:eu-west-1:123456789012:stateMachine:none": 1,
}


@pytest.mark.parametrize("arn", ARNS)
def test_an_arn_that_is_none_or_names_nothing_is_told(stack: Stack, arn: str) -> None:
    """What is none is told before anything is listed."""
    ended = stack.backfill("arn", "--on", "stepfunctions", "--state-machine", arn)
    assert ended.exit_code == ARNS[arn]
    assert "the state machine of the pipeline's stack" in ended.stderr
    assert contents(stack.s3, "history", "arn/") == {} or ended.exit_code == 1


def test_a_list_of_any_names_gives_what_it_gives_locally(stack: Stack) -> None:
    """Names of other buckets are skipped, and those that are no UTF-8 are gone."""
    names = b"s3://history/in/001.json\ns3://other/1.json\ns3://history/in/\xe9.json\ns3://history/in/\xc3\xa9.json\n"
    (stack.folder / "names.txt").write_bytes(names)
    words = ["backfill", str(stack.folder / "orders.yaml"), "-o", "json", "--env", "LAKE"]
    words += ["--objects", str(stack.folder / "names.txt")]
    stack.load("names")
    local = CliRunner().invoke(main, [*words, "--state", "s3://history/elsewhere"])
    on_map = CliRunner().invoke(main, [*words, "--on", "stepfunctions", "--state-machine", stack.machine])
    mine, others = json.loads(local.stdout), json.loads(on_map.stdout)
    assert {name: others[name] for name in COUNTS} == {name: mine[name] for name in COUNTS}
    assert (mine["objects"]["done"], mine["objects"]["skipped"], mine["objects"]["gone"]) == (1, 1, 2)


def test_a_function_of_another_spec_refuses_the_plan(stack: Stack) -> None:
    """Its markers would stand for other rows: it makes none, and is asked once for each batch."""
    spec = stack.folder / "orders.yaml"
    spec.write_text(
        SPEC.replace("columns: {sku: string}", "columns: {sku: {type: string, from: sku}, id: string}")
    )
    ended = stack.on_step_functions("other")
    assert ended.exit_code == 1
    assert json.loads(ended.stdout)["batches_left"] == len(stack.events) == 5
    assert stack.tree("other") == {}


@pytest.mark.parametrize("change", [{"batch": 3}, {"backfill": "0" * 12}, {"objects": []}, {"of": None}])
def test_an_event_that_is_no_batch_of_the_plan_is_refused(stack: Stack, change: dict[str, Any]) -> None:
    """Its marker would say that objects are done which never ran."""
    backfill = Backfill(stack.load("changed"), Window())
    backfill.plan(5)
    with pytest.raises(GiveUp, match="the plan of this backfill is of another spec"):
        handler({**event_of(backfill.state, 2), **change})
    assert not [*backfill.state.markers()]


def test_an_event_names_no_place_to_write_to(stack: Stack) -> None:
    """A name that is no backfill's gives no marker; the objects run all the same."""
    stack.backfill("event")
    before = {*contents(stack.s3, "history", "")}
    pipeline = stack.load("event")
    id = "0123456789ab"
    names = [(name, 1) for name in ("../../up", "s3://history/x", "", 7, "a" * 2_000, "é" * 12, None, [id])]
    for name, number in [*names, *((id, number) for number in (True, 0, -1, "1", 1.0, None, [1]))]:
        event = {"objects": ["s3://history/in/001.json"], "backfill": name, "batch": number}
        of = fingerprint(pipeline.spec.digest, pipeline.spec.parameters, event)
        assert handler({**event, "of": of})["objects"]["done"] == 1
    assert {*contents(stack.s3, "history", "")} == before


@pytest.mark.parametrize("options", [["--on", "stepfunctions"], ["--state-machine", next(reversed(ARNS))]])
def test_the_state_machine_goes_with_step_functions(stack: Stack, options: list[str]) -> None:
    ended = stack.backfill("alone", *options)
    assert ended.exit_code == 2
    assert "`--on stepfunctions` with `--state-machine`" in ended.stderr


def test_markers_beside_the_sink_alone_are_the_function_s(stack: Stack) -> None:
    options = ["--on", "stepfunctions", "--state-machine", stack.machine, "--state", "s3://history/elsewhere"]
    ended = stack.backfill("elsewhere", *options)
    assert ended.exit_code == 1
    assert "the function puts markers beside its sink on S3 alone" in ended.stderr
    assert contents(stack.s3, "history", "elsewhere/") == {}  # it is told before the objects are listed
