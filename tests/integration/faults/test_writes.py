"""What may happen to what is written: full disks, buckets that do not take it, bits that turn, objects that never do."""

from __future__ import annotations

import errno
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from integration.faults.stage import REQUESTS
from kit.mutants.limited import unmeasured
from kit.network import faults
from kit.shop import HANDLE, announced, queue
from kit.specs import valid
from kit.tables import table
from plait.deploy.stack import read_stack, stack_text
from plait.plugin import GiveUp, PlaitError, Put, TryAgain, Written
from plait.storage import local as storage_local
from plait.storage.objects import Storage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.faults.stage import Stage

NO_DISK = """
import resource, tempfile
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    tempfile.TemporaryFile().write(b"x")
except OSError:
    pass
else:
    raise SystemExit("there is a disk")
"""
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))
from plait.cli.main import main
main()
"""
SPEC = """
plait: 1
name: notes
sources: {notes: {connector: json, path: "./notes/*.json", columns: {id: string, text: string}}}
sink: {connector: parquet, path: ./lake}
"""


def _python(code: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)


@pytest.mark.fault("P4")
def test_on_s3_no_byte_goes_to_a_disk(
    stage: Stage, calm: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that cannot write one byte to any file does all its work."""
    stage.begin(monkeypatch)
    event = queue([f"faults/{key}" for key in stage.keys])
    environment = {**stage.shop.environment("faults"), **stage.environment(), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = _python(NO_DISK + HANDLE, input=json.dumps(event) + "\n", env=environment)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert 'ANSWER {"batchItemFailures": []}' in ended.stdout
    assert stage.lake() == calm


@pytest.mark.fault("P4")
def test_in_a_folder_a_full_disk_is_one_error_and_no_half_file(tmp_path: Path) -> None:
    """It names the file, what fits is written, nothing else is left, and the next run with room completes."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes.yaml").write_text(SPEC, encoding="utf-8")
    noise = "".join(chr(33 + n * n * 7 % 89) + chr(33 + n * 31 % 83) for n in range(20_000))
    for name, text in {"a": "short", "b": noise, "c": "short too"}.items():
        (tmp_path / f"notes/{name}.json").write_text(json.dumps({"id": name, "text": text}), encoding="utf-8")
    ended = _python(LIMITED, "run", "notes.yaml", "--all", "-o", "json", cwd=tmp_path, env=unmeasured())
    assert ended.returncode == 1, ended.stderr
    report = json.loads(ended.stdout)
    (problem,) = report["problems"]
    assert (problem["code"], report["objects"]["done"], report["objects"]["retry"]) == ("no-space", 2, 1)
    assert problem["message"].startswith("`./lake/")
    assert problem["message"].endswith("cannot be written: file too large")
    assert "make room" in problem["help"]
    assert "Traceback" not in ended.stderr
    left = sorted(path for path in (tmp_path / "lake").rglob("*") if path.is_file())
    assert sorted(str(path.relative_to(tmp_path)) for path in left) == sorted(
        f["uri"] for f in report["files"]
    )

    ended = _python("from plait.cli.main import main; main()", "run", "notes.yaml", "--all", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert len([path for path in (tmp_path / "lake").rglob("*") if path.is_file()]) == 3


@pytest.mark.fault("P4")
@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, TryAgain, "no-space"),
        (errno.EDQUOT, TryAgain, "no-space"),
        (errno.EROFS, GiveUp, "denied"),
        (errno.EACCES, GiveUp, "denied"),
        (errno.EIO, TryAgain, "try-again"),
    ],
)
def test_what_a_file_system_says_is_told_in_its_words(number: int, kind: type[PlaitError], code: str) -> None:
    """The path, the reason in lower case, and whether trying again may help."""
    error = storage_local.local_error("lake/a.parquet", OSError(number, "No Room in /secret/place"))
    assert isinstance(error, kind)
    assert error.code == code
    assert error.message.startswith("`lake/a.parquet` cannot be ")
    assert error.message.endswith("no room in /secret/place")


@pytest.mark.fault("P4")
def test_an_answer_that_has_no_room_is_one_error(tmp_path: Path) -> None:
    """`plait schema >file` on a full disk: one line and exit code 2, no traceback, also none when the process ends."""
    with (tmp_path / "answer").open("wb") as answer:
        ended = subprocess.run(
            [sys.executable, "-P", "-c", LIMITED.replace("4_000", "0"), "schema"],
            stdout=answer,
            stderr=subprocess.PIPE,
            env=unmeasured(),
            text=True,
            check=False,
            timeout=300,
        )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "error[no-space]: the answer cannot be written: file too large",
        "  = help: make room there, then run it again",
    ]


REFUSALS = table(Path(__file__).with_name("refusals.yaml"))


@pytest.mark.fault("P14")
@pytest.mark.parametrize("service", ["sink-put", "quarantine-put"])
@pytest.mark.parametrize("case", REFUSALS)
def test_a_bucket_that_takes_no_file_is_told_at_the_first_try(
    stage: Stage, calm: dict[str, str], monkeypatch: pytest.MonkeyPatch, case: str, service: str
) -> None:
    """One problem for each object, with the bucket, S3's reason and what to do; S3 is asked once for each file."""
    answer, text, expected = REFUSALS[case]["s3"], REFUSALS[case]["text"], REFUSALS[case]["told"]
    stage.begin(monkeypatch, warm=True)
    operation, path = REQUESTS[service]
    body = f"<Error><Code>{answer['code']}</Code><Message>{text}</Message></Error>".encode()
    action = faults.fail(answer["status"], body)
    stage.proxy.on(1, "before", action, operation=operation, path=path, forever=True)
    delivered = stage.deliver()
    requests = [
        request for request in stage.proxy.log if request.operation == operation and path in request.path
    ]
    errors = delivered.errors()
    assert len(errors) == len(delivered.failures) == len(requests) == (2 if service == "sink-put" else 1)
    assert delivered.report["objects"]["failed"] == len(errors)
    for problem in errors:
        assert problem["code"] == expected["code"]
        assert "`s3://shop-lake/" in problem["message"]
        assert expected["message"] in problem["message"]
        assert expected["help"] in problem["help"]
    stage.mend()
    assert stage.deliver(sorted(delivered.failures)).failures == set()
    assert stage.lake() == calm


@pytest.mark.fault("P16")
def test_every_put_tells_s3_what_it_should_get(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, quarantine, and keys that only boto3 can spell: S3 can refuse a body that is another."""
    stage.begin(monkeypatch)
    assert stage.deliver().failures == set()
    odd = Put(uri="s3://shop-lake/faults//odd", data=b"odd")
    assert isinstance(Storage(lambda *_: None).put([odd])[0], Written)
    puts = [request for request in stage.proxy.log if request.operation == "s3:PutObject"]
    assert len(puts) == 5  # one of them proves that the store minds conditions
    assert [put.path for put in puts if not put.sums] == []


@pytest.mark.fault("P16")
@pytest.mark.parametrize("code", ["BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"])
@pytest.mark.parametrize("key", ["sum", "/sum"], ids=["obstore", "boto3"])
def test_a_body_that_was_damaged_is_sent_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, key: str, code: str
) -> None:
    """Once more at once; where it is damaged again, it may be tried later, and nothing counts as written."""
    stage.begin(monkeypatch)
    body = f"<Error><Code>{code}</Code><Message>not what was sent</Message></Error>".encode()
    put = Put(uri=f"s3://shop-lake/faults/{key}", data=b"what is sent")
    storage = Storage(lambda *_: None)
    stage.proxy.on(1, "before", faults.fail(400, body), operation="s3:PutObject")
    assert isinstance(storage.put([put])[0], Written)
    stage.proxy.on(1, "before", faults.fail(400, body), operation="s3:PutObject", forever=True)
    (answer,) = storage.put([put])
    assert isinstance(answer, TryAgain)
    assert (answer.code, "cannot be reached now" in answer.message) == ("damaged", True)
    assert stage.proxy.calls["s3:PutObject"] == 4


@pytest.mark.fault("P16")
def test_a_file_that_was_damaged_does_not_count(
    stage: Stage, calm: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While bits turn on the way to the sink no file is there, none is reported, and each object comes again."""
    stage.begin(monkeypatch)
    stage.fail("sink-put", "damaged", forever=True)
    delivered = stage.deliver()
    assert (delivered.failures, delivered.report["files"], delivered.report["rows"]) == ({"0", "1"}, [], 0)
    assert {problem["code"] for problem in delivered.errors()} == {"damaged"}
    assert not [key for key in stage.lake() if "/extracted/" in key]
    stage.mend()
    assert stage.deliver(["0", "1"]).failures == set()
    assert stage.lake() == calm


@pytest.mark.fault("P15")
def test_an_object_that_never_succeeds_becomes_a_dead_letter_and_can_be_sent_again(
    stage: Stage, calm: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its neighbours are done at the first delivery; once mended, the stack's own command leads to the clean table."""
    stage.begin(monkeypatch)
    sqs = stage.shop.sandbox.client("sqs")
    dead = sqs.create_queue(QueueName="poison-dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": _arn(sqs, dead), "maxReceiveCount": "3"})
    times = {"VisibilityTimeout": "0", "RedrivePolicy": policy}
    main = sqs.create_queue(QueueName="poison", Attributes=times)["QueueUrl"]
    for key in stage.keys:
        sqs.send_message(QueueUrl=main, MessageBody=json.dumps(announced(f"faults/{key}")))
    poison = stage.keys[0]
    stage.proxy.on(1, "before", faults.denied("s3"), operation="s3:GetObject", path=poison, forever=True)

    assert _deliver_all(stage, sqs, main) == [3, 1, 1]
    (letter,) = _receive(sqs, dead)
    assert json.loads(letter["Body"])["detail"]["object"]["key"] == f"faults/{poison}"
    assert len(stage.lake()) == len(calm) - 1

    stage.mend()
    arns = {"DeadLetters": _arn(sqs, dead), "Queue": _arn(sqs, main)}
    source, destination = _redriven(arns)
    assert (source, destination) == (arns["DeadLetters"], arns["Queue"])
    sqs.send_message(QueueUrl=main, MessageBody=letter["Body"])  # moto has no such task
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    assert _deliver_all(stage, sqs, main) == [1]
    assert _receive(sqs, dead) == []
    assert stage.lake() == calm


def _deliver_all(stage: Stage, sqs: Any, url: str) -> list[int]:
    """Deliver as Lambda does until the queue has nothing more to give; how many messages each delivery had."""
    sizes = []
    while messages := _receive(sqs, url):
        records = [
            {"messageId": message["MessageId"], "eventSource": "aws:sqs", "body": message["Body"]}
            for message in messages
        ]
        delivered = stage.handle({"Records": records})
        for message in messages:
            if message["MessageId"] not in delivered.failures:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        sizes.append(len(messages))
    return sizes


def _receive(sqs: Any, url: str) -> list[dict[str, Any]]:
    return list(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()))


def _arn(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def _redriven(arns: dict[str, str]) -> Sequence[str]:
    """From where to where the command of the stack moves messages, as the service's model takes its options."""
    stack = read_stack(stack_text(valid(SPEC, **{"./notes": "s3://notes"}), lambda _: None))
    command = stack["Outputs"]["Redrive"]["Value"]["Fn::Sub"]
    for name, arn in arns.items():
        command = command.replace(f"${{{name}.Arn}}", arn)
    tool, service, task, *options = shlex.split(command)
    assert (tool, service, task) == ("aws", "sqs", "start-message-move-task")
    values = dict(zip(options[::2], options[1::2], strict=True))
    parameters = {"SourceArn": values["--source-arn"], "DestinationArn": values["--destination-arn"]}
    model = botocore.session.get_session().get_service_model("sqs").operation_model("StartMessageMoveTask")
    assert model.input_shape is not None
    assert not ParamValidator().validate(parameters, model.input_shape).has_errors()
    return [*parameters.values()]
